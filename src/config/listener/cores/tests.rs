//! What `core.listeners` and `advertised.core.listeners` mean, and how wrong ones are refused.

use super::*;
use crate::config::load::load_text;

fn read(text: &str) -> Result<Vec<Listener>, String> {
    load_text(Some(("server.properties", text)), &[], false)
        .map(|loaded| loaded.config.listeners)
        .map_err(|error| error.to_string())
}

/// The core ports of the first listener, and what clients are told of the second core.
fn second_core(text: &str) -> (String, u16, Option<String>, Option<u16>) {
    let listeners = read(text).unwrap();
    check_layout(&listeners, 2).unwrap();
    let cores = listeners[0].cores.as_ref().expect("core listeners");
    let told = cores.advertised.host.clone();
    let (port, told_port) = (cores.port(1), cores.advertised_port(1));
    (cores.host.clone(), port, told, told_port)
}

fn refused(text: &str, cores: usize, words: &str) {
    let refused =
        read(text).and_then(|found| check_layout(&found, cores).map_err(|error| error.to_string()));
    let error = refused.expect_err(text);
    assert!(error.contains(words), "{text}: {error}");
}

#[test]
fn without_the_property_no_core_listens_for_itself() {
    let listeners = read("listeners=PLAINTEXT://127.0.0.1:9092").unwrap();
    assert_eq!(listeners[0].cores, None);
    assert!(check_layout(&listeners, 100_000).is_ok());
}

#[test]
fn a_name_takes_the_ports_after_the_listener_and_its_host() {
    let text = "listeners=PLAINTEXT://192.0.2.7:9092\ncore.listeners=plaintext";
    let host = || "192.0.2.7".to_owned();
    assert_eq!(second_core(text), (host(), 9094, Some(host()), None));
    let text = "listeners=PLAINTEXT://192.0.2.7:9092\ncore.listeners=PLAINTEXT://:9200";
    assert_eq!(second_core(text), (host(), 9201, Some(host()), None));
}

#[test]
fn a_star_stands_for_every_listener_and_port_0_for_free_ones() {
    let text = "listeners=A://127.0.0.1:0,B://127.0.0.1:0\n\
                listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\ncore.listeners=*";
    let listeners = read(text).unwrap();
    check_layout(&listeners, 2).unwrap();
    for listener in listeners {
        assert_eq!(listener.cores.expect("core listeners").port(7), 0);
    }
}

#[test]
fn clients_are_told_the_listener_s_name_for_the_machine_unless_the_cores_have_their_own() {
    let outside =
        "listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://broker.example:9092\n";
    let told = |host: &str| Some(host.to_owned());
    let any = String::new();
    assert_eq!(
        second_core(&format!("{outside}core.listeners=PLAINTEXT")),
        (any.clone(), 9094, told("broker.example"), None)
    );
    assert_eq!(
        second_core(&format!(
            "{outside}core.listeners=PLAINTEXT://192.0.2.8:9300"
        )),
        ("192.0.2.8".to_owned(), 9301, told("192.0.2.8"), None)
    );
    let mapped = "core.listeners=PLAINTEXT\nadvertised.core.listeners=PLAINTEXT://nat.example:7000";
    assert_eq!(
        second_core(&format!("{outside}{mapped}")),
        (any, 9094, told("nat.example"), Some(7001))
    );
}

#[test]
fn cores_behind_a_mapped_port_need_to_be_told_too() {
    let mapped = "listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://nat.example:19092\n\
                  core.listeners=PLAINTEXT\n";
    refused(mapped, 2, "PLAINTEXT://:FIRST-PORT");
    let told = format!("{mapped}advertised.core.listeners=PLAINTEXT://:19093");
    assert_eq!(second_core(&told).3, Some(19094));
}

#[test]
fn ports_that_two_would_have_are_refused_with_both_names() {
    let two = "listeners=A://127.0.0.1:9092,B://127.0.0.1:9094\n\
               listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n";
    refused(
        &format!("{two}core.listeners=A"),
        2,
        "the cores of A and B would both have port 9094; give the cores other ones, e.g. A://",
    );
    assert!(check_layout(&read(&format!("{two}core.listeners=A")).unwrap(), 1).is_ok());
    refused(
        &format!("{two}core.listeners=A://:9100,B://0.0.0.0:9103"),
        4,
        "the cores of A and the cores of B would both have port 9103",
    );
    let told = "core.listeners=A://:9100,B://:9200\n\
                advertised.core.listeners=A://x.example:7000,B://x.example:7001";
    refused(&format!("{two}{told}"), 2, "advertised.core.listeners");
}

#[test]
fn entries_that_mean_nothing_are_refused() {
    let listener = "listeners=PLAINTEXT://127.0.0.1:9092\n";
    for (text, words) in [
        ("core.listeners=OTHER", "nothing listens as OTHER"),
        ("core.listeners=PLAINTEXT,PLAINTEXT", "stands twice"),
        ("core.listeners=PLAINTEXT://9192", "is no address"),
        ("core.listeners=PLAINTEXT,*", "is no address"),
        (
            "advertised.core.listeners=PLAINTEXT://x:1",
            "has no core listeners",
        ),
        (
            "core.listeners=*\nadvertised.core.listeners=PLAINTEXT://0.0.0.0:1",
            "nonroutable",
        ),
        (
            "core.listeners=*\nadvertised.core.listeners=PLAINTEXT",
            "is no address",
        ),
        ("core.listeners=PLAINTEXT://:65535", "not enough ports"),
    ] {
        refused(&format!("{listener}{text}"), 2, words);
    }
    refused(
        "listeners=PLAINTEXT://127.0.0.1:65535\ncore.listeners=*",
        1,
        "not enough ports",
    );
}
