//! The broker over HTTP, for people and for what watches over it: metrics, health, one page.
//!
//! | path | what |
//! |---|---|
//! | `/` | a page with live percentile curves by stage and core |
//! | `/metrics` | Prometheus' text format: Kafka's names as the JMX exporter gives them, and our own |
//! | `/stats.json` | everything there is, for the page and `vltava stat` |
//! | `/latency.hgrm?name=...&core=...` | one percentile distribution for HdrHistogram's tools |
//! | `/healthz` | 200 while every core turns, 503 where one does not answer |
//! | `/readyz` | 200 while connections are accepted, 503 while starting or stopping |
//!
//! All of it runs on threads of its own with the lowest claim to a CPU. Numbers are read where the cores write them; what only
//! a core can say it is asked for with a byte, and answers when it gets to it. Nothing here can hold up a core, and this room
//! knows no record, no setting and no runtime. Who can reach the address can read it: it belongs on loopback.

mod ask;
mod http;
mod kafka_names;
mod proc;
mod prometheus;
mod recent;
mod routes;
mod server;
mod view;

pub use ask::Questions;
pub use server::{Admin, AdminError};
pub use view::View;
