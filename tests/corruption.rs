//! Damage in a data directory, one thing at a time: what a start makes of it, what readers get, what `vltava check` says.
//!
//! Setup: a data directory with several small segments in every codec, idempotent producers and a group, made once and left in
//! two ways: stopped clean, and killed later with more in it. Each case damages a copy. Expectation: a start repairs what can be
//! made again and refuses what cannot, with the path; nobody panics; every record that a reader gets is the one that was
//! written, and what he does not get comes as an error; the check names the damage, and names nothing else.
//!
//! Partitions know nothing of each other, so all that is damaged inside of partitions is damaged in one copy, a partition each.

mod harness;

#[path = "corruption/cases.rs"]
mod cases;
#[path = "corruption/damage.rs"]
mod damage;
#[path = "corruption/directory.rs"]
mod directory;
#[path = "corruption/fixture.rs"]
mod fixture;
#[path = "corruption/partitions.rs"]
mod partitions;
#[path = "corruption/reading.rs"]
mod reading;
#[path = "corruption/repairing.rs"]
mod repairing;
