use middleware::fuzzing::record;
use store::fuzzing::invalidation;

/// What other replicas, or whoever else writes to the store, left there: the record of a write, an invalidation.
pub fn stored(input: &[u8]) {
    record(input);
    invalidation(input);
}
