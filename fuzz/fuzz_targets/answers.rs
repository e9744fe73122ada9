#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| triptych_fuzz::answers(input));
