//! What a random test draws, and what repeats it.

use std::env;

use crate::types::TimestampMs;

/// A small generator of pseudo-random numbers; its seed is in every message.
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    pub(super) fn flip(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// `VLTAVA_TEST_SEED`, or another one each time.
pub(crate) fn seed() -> u64 {
    from_env("VLTAVA_TEST_SEED").unwrap_or_else(|| TimestampMs::now().0 as u64)
}

/// How many disks are looked at: `VLTAVA_TEST_IMAGES`, or `usual`.
pub(crate) fn images(usual: usize) -> usize {
    from_env("VLTAVA_TEST_IMAGES").map_or(usual, |images| images as usize)
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
