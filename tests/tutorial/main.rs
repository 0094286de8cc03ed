//! A tutorial of years ago, and our own: what their pages print is what a reader sees.
//!
//! Setup: the programs, commands and property files as printed (README.md beside this file says whose), and the pages in `docs/`.
//! Expectation: they run, on the releases they were written for and on today's, and show what the pages say.

#[path = "../harness/mod.rs"]
mod harness;

mod commands;
mod pages;
mod programs;
