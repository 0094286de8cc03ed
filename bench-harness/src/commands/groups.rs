//! `vltava-bench groups`: how long a consumer group takes to stand again when a member comes or goes.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;

use crate::args::CommonArgs;
use crate::group::{Group, Member};
use crate::result::{Better, Figure, RunResult};
use crate::run::BenchError;
use crate::signals::interrupted;
use crate::statistics::Spread;
use crate::units::{parse_ms, three_digits};

/// Options of `vltava-bench groups`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench groups --members 100
  vltava-bench groups --members 10 --heartbeat-ms 3000
      as Java's consumers do: most of a rebalance is the time until each member has asked whether there is one

Members of the classic protocol (JoinGroup, SyncGroup, Heartbeat) share out nothing but their names: what is measured is the \
coordinator. A group stands when every member has the assignment of one generation that has all of them. A new group waits for \
group.initial.rebalance.delay.ms, 3 seconds by default, before the first generation.")]
pub struct GroupsArgs {
    /// Where to; the topic is not used.
    #[command(flatten)]
    pub common: CommonArgs,
    /// How many members the group has before one comes or goes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub members: u32,
    /// How often one comes, and one goes
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// How often each member asks whether there is a rebalance
    #[arg(long, value_name = "MS", default_value = "50", value_parser = parse_ms)]
    pub heartbeat_ms: f64,
}

/// Lets members come and go.
///
/// # Errors
/// When the group does not come to stand.
pub fn run(args: &GroupsArgs) -> Result<RunResult, BenchError> {
    let interrupted = interrupted()?;
    let heartbeat = Duration::from_secs_f64(args.heartbeat_ms / 1e3);
    let group = Group::find(&args.common, heartbeat)?;
    let began = Instant::now();
    let mut members: Vec<Member> = (0..args.members).map(|_| group.join()).collect();
    group.wait_until_it_stands(members.len())?;
    let first = began.elapsed();
    let (mut comes, mut goes) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        members.push(group.join());
        group.wait_until_it_stands(members.len())?;
        comes.push(ms(began.elapsed()));
        let began = Instant::now();
        // The oldest: it may be the leader of the group.
        members.remove(0).leave()?;
        group.wait_until_it_stands(members.len())?;
        goes.push(ms(began.elapsed()));
        if !args.common.quiet {
            let times = [&comes, &goes].map(|times| three_digits(times[times.len() - 1]));
            let (rounds, [comes, goes]) = (args.rounds, times);
            eprintln!("round {round} of {rounds}: one comes {comes} ms, one goes {goes} ms");
        }
    }
    for member in members {
        member.leave()?;
    }
    let mut figures = vec![
        Figure::new("members", f64::from(args.members), "", Better::Neither),
        Figure::cost("all come at once", ms(first), "ms"),
    ];
    for (name, times) in [("one more comes", comes), ("one goes", goes)] {
        if let Some(spread) = Spread::of(times) {
            figures.push(Figure::cost(format!("{name}: median"), spread.median, "ms"));
            figures.push(Figure::cost(format!("{name}: longest"), spread.high, "ms"));
        }
    }
    let mut result = RunResult::of_figures("groups", args.common.server_pid, figures);
    result.totals.interrupted = interrupted.load(Ordering::Relaxed);
    Ok(result)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
