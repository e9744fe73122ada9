//! What fuzzing needs of the inside. Only with `--cfg fuzzing`, and no part of the interface.

/// Does with the record of a write what is done with it when the write comes again.
pub fn record(bytes: &[u8]) {
    crate::writes::replayed(bytes);
}
