//! A system that runs with two replicas of each BFF behind one gateway, through its front door. `TRIPTYCH_SYSTEM` says where
//! that is; `scripts/compose-test` starts one.

mod replicas;
mod screens;
