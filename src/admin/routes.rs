//! What each path answers.

use super::View;
use super::http::{Answered, Asked};
use super::prometheus;
use super::recent::Recent;
use crate::metrics::{CoreStats, Named, Phase, Stats, Unit, percentile_distribution};
use std::time::Instant;

const PAGE: &str = include_str!("page.html");

/// The answer to a question.
pub fn answer(asked: &Asked, view: &View, recent: &Recent) -> Answered {
    match asked.path.as_str() {
        "/" => Answered {
            status: "200 OK",
            content_type: "text/html; charset=utf-8",
            body: PAGE.to_owned(),
        },
        "/metrics" => metrics(view, recent),
        "/stats.json" => stats(view),
        "/latency.hgrm" => distribution(asked, &view.look().0),
        "/healthz" => health(view),
        "/readyz" => readiness(view.phase()),
        _ => Answered::words(
            "404 Not Found",
            "there are /, /metrics, /stats.json, /latency.hgrm?name=, /healthz and /readyz",
        ),
    }
}

fn metrics(view: &View, recent: &Recent) -> Answered {
    let (stats, partitions) = view.look();
    let base = recent.base(Instant::now(), &stats);
    Answered {
        status: "200 OK",
        content_type: "text/plain; version=0.0.4; charset=utf-8",
        body: prometheus::text(&stats, base.as_ref(), &partitions),
    }
}

fn stats(view: &View) -> Answered {
    match serde_json::to_string(&view.look().0) {
        Ok(body) => Answered {
            status: "200 OK",
            content_type: "application/json",
            body,
        },
        Err(error) => Answered::words("500 Internal Server Error", error.to_string()),
    }
}

fn health(view: &View) -> Answered {
    if view.phase() == Phase::Starting {
        // The cores may not run yet, and a probe must not kill a broker that checks its logs.
        return Answered::words("200 OK", "starting");
    }
    match view.silent_cores().as_slice() {
        [] => Answered::words("200 OK", "ok"),
        silent => Answered::words(
            "503 Service Unavailable",
            format!("no answer within 2 s from core {silent:?}"),
        ),
    }
}

fn readiness(phase: Phase) -> Answered {
    match phase {
        Phase::Ready => Answered::words("200 OK", "ready"),
        Phase::Starting => Answered::words("503 Service Unavailable", "starting"),
        Phase::Draining => Answered::words("503 Service Unavailable", "stopping"),
    }
}

/// By name of a stage, a size or an API; of one core or all.
fn distribution(asked: &Asked, stats: &Stats) -> Answered {
    let name = asked.parameter("name").unwrap_or("Produce");
    let core = match asked.parameter("core").map(str::parse::<usize>) {
        None => None,
        Some(Ok(core)) if core < stats.cores.len() => Some(core),
        Some(_) => return Answered::words("404 Not Found", "there is no such core"),
    };
    let pick = |of: fn(&CoreStats) -> &[Named]| {
        stats.merged(name, move |stats| match core {
            Some(core) if stats.core != core => &[],
            _ => of(stats),
        })
    };
    let found = pick(|core| &core.stages)
        .or_else(|| pick(|core| &core.requests))
        .or_else(|| pick(|core| &core.sizes));
    let Some(values) = found else {
        let names: Vec<&str> = names(stats).collect();
        let words = format!(
            "nothing of that name was counted yet; there are {}",
            names.join(", ")
        );
        return Answered::words("404 Not Found", words);
    };
    let divisor = match values.unit {
        Unit::Nanoseconds => 1e6,
        Unit::Count => 1.0,
    };
    Answered {
        status: "200 OK",
        content_type: "text/plain; charset=utf-8",
        body: percentile_distribution(&values.to_hdr(), divisor),
    }
}

fn names(stats: &Stats) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = stats
        .cores
        .iter()
        .flat_map(|core| core.stages.iter().chain(&core.requests).chain(&core.sizes))
        .map(|named| named.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}
