//! Buffers of sockets, and how many connections may wait.

use super::super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::super::host::Host;
use super::super::plan::Plan;

/// A buffer of this size takes one piece of an answer whole.
const WANTED: u32 = 1024 * 1024;

/// Whether the sockets' buffers hold more than Kafka's default of 100 KiB.
pub fn buffers(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "socket buffers";
    let is = shown(host, plan);
    let holds = |asked: Option<u32>| asked.is_some_and(|bytes| bytes >= WANTED);
    if holds(plan.send_buffer) && holds(plan.receive_buffer) {
        return Finding::fine(TOPIC, is);
    }
    let advice = Advice {
        should: "1 MiB each way".to_owned(),
        why: "a small buffer is full, and empty, many times a batch, and each time sender or receiver is woken; the price is memory of the \
              kernel, up to 2 MiB each way, for each connection whose peer is slow",
        buys: BUFFERS_BUY,
        source: super::MEASURED,
        remedy: Remedy::ByHand {
            set: vec![format!(
                "socket.send.buffer.bytes={WANTED} and socket.receive.buffer.bytes={WANTED} in server.properties, and a restart"
            )],
            undo: vec!["take the two lines out again".to_owned()],
        },
    };
    Finding::advise(TOPIC, Verdict::Change, is, advice)
}

const BUFFERS_BUY: &str = "0.17 CPU seconds for each GB consumed in place of 0.31, and twice the throughput of one connection; \
                           producing shows no difference";

fn shown(host: &Host, plan: &Plan) -> String {
    let own = |sizes: &Option<Vec<u64>>| sizes.as_ref().and_then(|sizes| sizes.last().copied());
    let kib = |asked: Option<u32>, own: Option<u64>| match (asked, own) {
        (Some(bytes), _) => format!("{} KiB", bytes / 1024),
        (None, Some(most)) => format!("the kernel's own, up to {} KiB", most / 1024),
        (None, None) => "the kernel's own".to_owned(),
    };
    let network = &host.network;
    format!(
        "receive {}, send {}",
        kib(plan.receive_buffer, own(&network.receive_own)),
        kib(plan.send_buffer, own(&network.send_own))
    )
}

/// Whether the kernel gives as large a buffer as the broker asks for, or should.
pub fn buffer_bounds(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "buffer bounds";
    let network = &host.network;
    let (Some(receive_max), Some(send_max)) = (network.receive_max, network.send_max) else {
        return Finding::unseen(
            TOPIC,
            "net.core.rmem_max and wmem_max are not shown here (a network namespace)",
        );
    };
    let bounds = [
        ("net.core.rmem_max", plan.receive_buffer, receive_max),
        ("net.core.wmem_max", plan.send_buffer, send_max),
    ];
    let low: Vec<_> = bounds
        .iter()
        .filter_map(|(name, asked, most)| {
            let needed = u64::from(asked.unwrap_or(WANTED).max(WANTED));
            (needed > *most).then(|| Setting::sysctl(name, needed, (name, most)))
        })
        .collect();
    let is = format!(
        "receive {} KiB, send {} KiB",
        receive_max / 1024,
        send_max / 1024
    );
    if low.is_empty() {
        return Finding::fine(TOPIC, is);
    }
    let should = low
        .iter()
        .map(|setting| format!("{} = {}", setting.key, setting.value));
    let advice = Advice {
        should: should.collect::<Vec<_>>().join(", "),
        why: "the kernel cuts a buffer that a program asks for to its own bound, without a word",
        buys: "socket.*.buffer.bytes is in force up to there; by itself nothing changes",
        source: "man 7 socket, SO_RCVBUF; kernel: Documentation/admin-guide/sysctl/net.rst",
        remedy: Remedy::Sysctl(low),
    };
    Finding::advise(TOPIC, Verdict::Change, is, advice)
}

/// Whether as many connections may wait as the broker asks for.
pub fn backlog(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "listen backlog";
    const KEY: &str = "net.core.somaxconn";
    let Some(most) = host.network.backlog_max else {
        return Finding::unseen(TOPIC, "net.core.somaxconn is not shown here");
    };
    let asked = u64::from(plan.backlog);
    let is = format!("{asked} a core, of at most {most}");
    if asked <= most {
        return Finding::fine(TOPIC, is);
    }
    let advice = Advice {
        should: format!("{KEY} = {asked}"),
        why: "the kernel cuts socket.listen.backlog.size to its own bound without a word",
        buys: "connections that come all at once, as after a restart, wait instead of being tried again a second later",
        source: "man listen; kernel: Documentation/networking/ip-sysctl.rst",
        remedy: Remedy::Sysctl(vec![Setting::sysctl(KEY, asked, (KEY, most))]),
    };
    Finding::advise(TOPIC, Verdict::Change, is, advice)
}

#[cfg(test)]
mod tests {
    use super::super::super::host::Network;
    use super::super::testing::settings;
    use super::*;

    fn host() -> Host {
        Host {
            network: Network {
                receive_max: Some(212_992),
                send_max: Some(212_992),
                backlog_max: Some(4096),
                ..Network::default()
            },
            ..Host::default()
        }
    }

    fn plan(send_buffer: Option<u32>, receive_buffer: Option<u32>) -> Plan {
        Plan {
            send_buffer,
            receive_buffer,
            ..Plan::default()
        }
    }

    #[test]
    fn buffers_below_a_megabyte_are_worth_changing_also_the_kernels_own() {
        for (send, receive) in [
            (Some(102_400), Some(102_400)),
            (None, None),
            (Some(WANTED), None),
        ] {
            let finding = buffers(&host(), &plan(send, receive));
            assert_eq!(finding.verdict, Verdict::Change, "{}", finding.is);
        }
        let large = buffers(&host(), &plan(Some(WANTED), Some(2 * WANTED)));
        assert_eq!(large.verdict, Verdict::Fine);
    }

    #[test]
    fn a_bound_below_what_is_asked_for_or_should_be_is_raised_to_just_that() {
        let mut host = host();
        host.network.send_max = Some(4 << 20);
        let finding = buffer_bounds(&host, &plan(Some(102_400), Some(102_400)));
        assert_eq!(settings(&finding), ["net.core.rmem_max=1048576"]);
        let Some(Remedy::Sysctl(found)) = finding.advice.map(|advice| advice.remedy) else {
            panic!("no setting")
        };
        assert_eq!(found[0].undo, "sysctl -w 'net.core.rmem_max=212992'");
        let more = buffer_bounds(&host, &plan(Some(8 << 20), None));
        assert_eq!(
            settings(&more),
            ["net.core.rmem_max=1048576", "net.core.wmem_max=8388608"]
        );
    }

    #[test]
    fn bounds_that_suffice_or_are_hidden_are_left() {
        let mut host = host();
        (host.network.receive_max, host.network.send_max) = (Some(4 << 20), Some(4 << 20));
        assert_eq!(
            buffer_bounds(&host, &Plan::default()).verdict,
            Verdict::Fine
        );
        assert_eq!(
            buffer_bounds(&Host::default(), &Plan::default()).verdict,
            Verdict::Unseen
        );
    }

    #[test]
    fn a_backlog_beyond_the_kernels_bound_is_worth_changing() {
        let plan = |backlog| Plan {
            backlog,
            ..Plan::default()
        };
        assert_eq!(backlog(&host(), &plan(4096)).verdict, Verdict::Fine);
        assert_eq!(
            settings(&backlog(&host(), &plan(10_000))),
            ["net.core.somaxconn=10000"]
        );
    }
}
