//! What `listeners` and its older relatives mean, and how wrong ones are refused.

use super::*;
use crate::config::load::load_text;

fn read(text: &str) -> Result<Vec<Listener>, String> {
    load_text(Some(("server.properties", text)), &[], false)
        .map(|loaded| loaded.config.listeners)
        .map_err(|error| error.to_string())
}

fn only(text: &str) -> Listener {
    let [listener] = <[_; 1]>::try_from(read(text).unwrap()).expect("one listener");
    listener
}

fn told(host: Option<&str>, port: Option<u16>) -> Advertised {
    Advertised {
        host: host.map(str::to_owned),
        port,
    }
}

#[test]
fn an_address_is_told_to_clients_as_it_is_listened_on() {
    let listener = only("listeners=PLAINTEXT://192.0.2.7:9094");
    assert_eq!((listener.host.as_str(), listener.port), ("192.0.2.7", 9094));
    assert_eq!(listener.advertised, told(Some("192.0.2.7"), Some(9094)));
}

#[test]
fn every_interface_is_told_by_the_canonical_host_name() {
    for text in [
        "",
        "listeners=PLAINTEXT://:9092",
        "listeners=PLAINTEXT://0.0.0.0:9092",
        "listeners=PLAINTEXT://[::]:9092",
    ] {
        let listener = only(text);
        assert!(listener.is_wildcard(), "{text}");
        assert_eq!(listener.advertised, told(None, Some(9092)), "{text}");
    }
}

#[test]
fn an_entry_of_its_own_says_what_clients_are_told() {
    let listener =
        only("listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://broker.example:19092");
    assert_eq!(
        listener.advertised,
        told(Some("broker.example"), Some(19092))
    );
}

#[test]
fn a_name_may_be_left_out_and_ipv6_stands_in_brackets() {
    assert_eq!(only("listeners=:9093").name, "PLAINTEXT");
    let listener = only("listeners=//[::1]:9092");
    assert_eq!(listener.host, "::1");
    assert!(listener.is_loopback());
    assert_eq!(
        only("listeners=plaintext://h:1").name,
        "PLAINTEXT",
        "names are in capitals whatever is written"
    );
    assert_eq!(
        only("listeners=PLAINTEXT://h:0").advertised,
        told(Some("h"), None)
    );
}

#[test]
fn listeners_of_the_controller_are_not_opened() {
    let listener = only(
        "process.roles=broker,controller\ncontroller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    );
    assert_eq!(
        (listener.name.as_str(), listener.advertised),
        ("PLAINTEXT", told(Some("localhost"), Some(9092)))
    );
}

#[test]
fn the_older_names_make_one_listener() {
    let listener = only("host.name=192.0.2.1\nport=6667");
    assert_eq!((listener.host.as_str(), listener.port), ("192.0.2.1", 6667));
    let listener = only("port=6667\nadvertised.host.name=broker.example\nadvertised.port=7000");
    assert!(listener.is_wildcard());
    assert_eq!(
        listener.advertised,
        told(Some("broker.example"), Some(7000))
    );
    assert_eq!(
        only("port=6667\nadvertised.host.name=::1").advertised,
        told(Some("::1"), Some(6667))
    );
}

#[test]
fn several_names_make_several_listeners() {
    let listeners = read(
        "listeners=INSIDE://127.0.0.1:9092,OUTSIDE://127.0.0.1:9093\n\
         listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT\nadvertised.listeners=OUTSIDE://public.example:80",
    )
    .unwrap();
    assert_eq!(listeners.len(), 2);
    assert_eq!(listeners[0].advertised, told(Some("127.0.0.1"), Some(9092)));
    assert_eq!(
        listeners[1].advertised,
        told(Some("public.example"), Some(80))
    );
}

#[test]
fn flags_become_listeners_that_hide_those_of_the_file() {
    let overrides = listen_overrides(&["127.0.0.1:1000".to_owned(), "[::1]:1000".to_owned()]);
    let text = "listeners=A://h:1\nadvertised.listeners=A://h:1\nlistener.security.protocol.map=A:PLAINTEXT";
    let listeners = load_text(Some(("f", text)), &overrides, false)
        .unwrap()
        .config
        .listeners;
    let hosts: Vec<&str> = listeners
        .iter()
        .map(|listener| listener.host.as_str())
        .collect();
    assert_eq!(hosts, ["127.0.0.1", "::1"]);
}

#[test]
fn what_cannot_be_served_is_refused_with_what_would_be_right() {
    let cases = [
        (
            "listeners=junk",
            "\"junk\" is no address; write NAME://host:port",
        ),
        ("listeners=PLAINTEXT://h:99999", "is no address"),
        ("listeners=PLAINTEXT://::1:9092", "is no address"),
        (
            "listeners=FOO://:9092",
            "No security protocol defined for listener FOO",
        ),
        (
            "listeners=SASL_SSL://:9092",
            "SASL_SSL asks for SASL_SSL, which is not served yet",
        ),
        (
            "listeners=PLAINTEXT://h:1,PLAINTEXT://h:2",
            "Each listener must have a different name",
        ),
        (
            "listeners=PLAINTEXT://h:1,A://h:1\nlistener.security.protocol.map=A:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "have the same address",
        ),
        (
            "advertised.listeners=FOO://x:9092",
            "nothing listens as FOO",
        ),
        (
            "advertised.listeners=PLAINTEXT://x:1,PLAINTEXT://y:1",
            "PLAINTEXT stands twice",
        ),
        (
            "advertised.listeners=PLAINTEXT://0.0.0.0:9092",
            "cannot use the nonroutable meta-address 0.0.0.0",
        ),
        (
            "listeners=CONTROLLER://:1\ncontroller.listener.names=CONTROLLER",
            "none is left for clients",
        ),
        (
            "listener.security.protocol.map=PLAINTEXT",
            "is not NAME:PROTOCOL",
        ),
    ];
    for (text, words) in cases {
        let refusal = read(text).expect_err(text);
        assert!(refusal.contains(words), "{text}: {refusal}");
    }
}
