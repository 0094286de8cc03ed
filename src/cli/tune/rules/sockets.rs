//! Buffers of sockets, and how many connections may wait.

use super::super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::super::host::Host;
use super::super::plan::Plan;

/// Whether the kernel gives the buffers that the broker asks for.
pub fn buffers(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "socket buffers";
    let network = &host.network;
    let (Some(receive_max), Some(send_max)) = (network.receive_max, network.send_max) else {
        return Finding::unseen(
            TOPIC,
            "net.core.rmem_max and wmem_max are not shown here (a network namespace)",
        );
    };
    let asked = [
        ("net.core.rmem_max", plan.receive_buffer, receive_max),
        ("net.core.wmem_max", plan.send_buffer, send_max),
    ];
    let cut: Vec<_> = asked
        .iter()
        .filter_map(|(name, asked, most)| {
            let asked = u64::from((*asked)?);
            (asked > *most).then(|| Setting::sysctl(name, asked, (name, most)))
        })
        .collect();
    if cut.is_empty() {
        return Finding::fine(TOPIC, format!("{}; {BUFFERS_FOUND}", shown(host, plan)));
    }
    let advice = Advice {
        should: cut
            .iter()
            .map(|setting| format!("{} = {}", setting.key, setting.value))
            .collect::<Vec<_>>()
            .join(", "),
        why: "the kernel cuts a buffer to its own bound without a word, so socket.*.buffer.bytes is not in force",
        buys: "the buffers that were asked for: on a long way no more than one buffer is on its way at a time",
        source: "man 7 socket, SO_RCVBUF; kernel: Documentation/admin-guide/sysctl/net.rst",
        remedy: Remedy::Sysctl(cut),
    };
    Finding::advise(TOPIC, Verdict::Change, shown(host, plan), advice)
}

const BUFFERS_FOUND: &str = "TBD";

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

    #[test]
    fn a_buffer_beyond_the_kernels_bound_raises_that_bound_alone() {
        let plan = Plan {
            send_buffer: Some(102_400),
            receive_buffer: Some(1 << 20),
            ..Plan::default()
        };
        let finding = buffers(&host(), &plan);
        assert_eq!(settings(&finding), ["net.core.rmem_max=1048576"]);
        let Some(Remedy::Sysctl(found)) = finding.advice.map(|advice| advice.remedy) else {
            panic!("no setting")
        };
        assert_eq!(found[0].undo, "sysctl -w 'net.core.rmem_max=212992'");
    }

    #[test]
    fn buffers_of_the_kernels_own_have_no_such_bound() {
        assert_eq!(buffers(&host(), &Plan::default()).verdict, Verdict::Fine);
        assert_eq!(
            buffers(&Host::default(), &Plan::default()).verdict,
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
