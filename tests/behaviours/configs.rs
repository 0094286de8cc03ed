//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources: settings are shown as they hold, change without a
//! restart and survive one.
//!
//! Setup: changes for topics, brokers, groups and what is no such thing. Expectation: Kafka's codes and words; records are taken
//! and refused by the new settings at once, also by topics that inherit them.

use std::net::TcpStream;

use vltava::wire::ErrorCode;
use vltava::wire::messages::alter_configs as replacing;
use vltava::wire::messages::alter_configs::AlterConfigsRequest;
use vltava::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResult,
};
use vltava::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use vltava::wire::messages::list_config_resources::ListConfigResourcesRequest;

use crate::harness::batches;
use crate::harness::broker::Broker;
use crate::harness::wire_client::{WireClient, wait_until};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

/// Where values come from.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 2;
const OF_ALL_BROKERS: i8 = 3;
const OF_FILE: i8 = 4;
const DEFAULT: i8 = 5;
const OF_GROUP: i8 = 8;

/// What became of a resource.
type Outcome = (ErrorCode, String);

fn start(overrides: &[(&str, &str)]) -> (Broker, WireClient) {
    let broker = Broker::start(overrides);
    let client = WireClient::connect(broker.port());
    (broker, client)
}

fn resource(kind: i8, name: &str, configs: &[(&str, i8, Option<&str>)]) -> AlterConfigsResource {
    let config = |(name, operation, value): &(&str, i8, Option<&str>)| AlterableConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: value.map(Into::into),
    };
    AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: configs.iter().map(config).collect(),
    }
}

fn ask(
    client: &mut WireClient,
    resources: Vec<AlterConfigsResource>,
    validate_only: bool,
) -> Vec<Outcome> {
    let request = IncrementalAlterConfigsRequest {
        resources,
        validate_only,
    };
    let answer = client.call(1, &request);
    answer
        .responses
        .into_iter()
        .map(|result| {
            let words = result.error_message.as_deref().unwrap_or_default();
            (result.error_code, words.to_owned())
        })
        .collect()
}

/// One change that must be made.
fn set(client: &mut WireClient, kind: i8, name: &str, config: &str, value: &str) {
    let change = resource(kind, name, &[(config, SET, Some(value))]);
    let made = ask(client, vec![change], false);
    assert_eq!(made, [(ErrorCode::NONE, String::new())], "{config}={value}");
}

fn unset(client: &mut WireClient, kind: i8, name: &str, config: &str) {
    let change = resource(kind, name, &[(config, DELETE, None)]);
    let made = ask(client, vec![change], false);
    assert_eq!(made, [(ErrorCode::NONE, String::new())], "{config}");
}

fn refusal(
    client: &mut WireClient,
    kind: i8,
    name: &str,
    configs: &[(&str, i8, Option<&str>)],
) -> Outcome {
    let mut outcomes = ask(client, vec![resource(kind, name, configs)], false);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn describe_at(
    client: &mut WireClient,
    version: i16,
    kind: i8,
    name: &str,
    keys: Option<&[&str]>,
) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).into()).collect()),
        }],
        include_synonyms: version >= 1,
        include_documentation: version >= 3,
    };
    let mut answer = client.call(version, &request);
    answer.results.remove(0)
}

fn describe(client: &mut WireClient, kind: i8, name: &str) -> Vec<DescribeConfigsResourceResult> {
    let result = describe_at(client, 4, kind, name, None);
    assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    result.configs
}

/// A value and where it comes from.
fn value(client: &mut WireClient, kind: i8, name: &str, config: &str) -> (String, i8) {
    let result = describe_at(client, 4, kind, name, Some(&[config]));
    let [only] = result.configs.as_slice() else {
        panic!("{config} of {name}: {result:?}");
    };
    (
        only.value.as_deref().unwrap_or("null").to_owned(),
        only.config_source,
    )
}

fn produce(client: &mut WireClient, topic: &str, bytes: usize) -> ErrorCode {
    let text = "x".repeat(bytes);
    client
        .produce(topic, 0, &batches::batch(&[&text]))
        .error_code
}

#[test]
fn a_topics_settings_hold_at_once_and_after_a_restart() {
    let (mut broker, mut client) = start(&[]);
    client.create_topic("t", 1);
    assert_eq!(produce(&mut client, "t", 5000), ErrorCode::NONE);
    set(&mut client, TOPIC, "t", "max.message.bytes", "1000");
    assert_eq!(
        produce(&mut client, "t", 5000),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    assert_eq!(produce(&mut client, "t", 100), ErrorCode::NONE);
    broker.kill();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(
        value(&mut client, TOPIC, "t", "max.message.bytes"),
        ("1000".to_owned(), OF_TOPIC)
    );
    assert_eq!(
        produce(&mut client, "t", 5000),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    unset(&mut client, TOPIC, "t", "max.message.bytes");
    assert_eq!(produce(&mut client, "t", 5000), ErrorCode::NONE);
}

#[test]
fn topics_inherit_what_changes_for_one_broker_before_all_brokers_before_the_file() {
    let (mut broker, mut client) = start(&[("message.max.bytes", "40000")]);
    let id = node(&mut client);
    client.create_topic("t", 1);
    let inherited = |client: &mut WireClient| value(client, TOPIC, "t", "max.message.bytes");
    assert_eq!(inherited(&mut client), ("40000".to_owned(), OF_FILE));
    set(&mut client, BROKER, "", "message.max.bytes", "2000");
    assert_eq!(inherited(&mut client), ("2000".to_owned(), OF_ALL_BROKERS));
    assert_eq!(
        produce(&mut client, "t", 5000),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    set(&mut client, BROKER, &id, "message.max.bytes", "9000");
    assert_eq!(inherited(&mut client), ("9000".to_owned(), OF_BROKER));
    assert_eq!(produce(&mut client, "t", 5000), ErrorCode::NONE);
    broker.stop();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(inherited(&mut client), ("9000".to_owned(), OF_BROKER));
    assert_eq!(
        produce(&mut client, "t", 10_000),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    let described = describe_at(&mut client, 4, TOPIC, "t", Some(&["max.message.bytes"]));
    let chain: Vec<_> = described.configs[0]
        .synonyms
        .iter()
        .map(|synonym| (&*synonym.name, synonym.value.as_deref(), synonym.source))
        .collect();
    assert_eq!(
        chain,
        [
            ("message.max.bytes", Some("9000"), OF_BROKER),
            ("message.max.bytes", Some("2000"), OF_ALL_BROKERS),
            ("message.max.bytes", Some("40000"), OF_FILE),
            ("message.max.bytes", Some("1048588"), DEFAULT),
        ]
    );
}

#[test]
fn segments_and_flushes_follow_their_settings_from_the_next_record_on() {
    let (broker, mut client) = start(&[]);
    client.create_topic("t", 1);
    let segments = || {
        let folder = std::fs::read_dir(broker.data_dir().join("t-0")).expect("the folder");
        let files = folder.map(|entry| entry.expect("an entry").file_name());
        files
            .filter(|name| name.to_string_lossy().ends_with(".log"))
            .count()
    };
    let write = |client: &mut WireClient| {
        client.write_batch("t", 0, &batches::batch_of_bytes(400_000));
    };
    (0..4).for_each(|_| write(&mut client));
    assert_eq!(segments(), 1);
    set(&mut client, BROKER, "", "log.segment.bytes", "1048576");
    (0..4).for_each(|_| write(&mut client));
    assert_eq!(segments(), 3, "a topic that inherits");
    set(&mut client, TOPIC, "t", "segment.bytes", "1073741824");
    set(&mut client, TOPIC, "t", "flush.messages", "1");
    (0..4).for_each(|_| write(&mut client));
    assert_eq!(segments(), 3, "its own value stands before");
}

#[test]
fn connections_are_bounded_anew_while_the_broker_runs() {
    let (broker, mut client) = start(&[]);
    set(&mut client, BROKER, "", "max.connections", "1");
    let mut second = WireClient::adopt(connect(broker.port()));
    second.assert_closed("one connection is all that is allowed");
    set(&mut client, BROKER, "", "max.connections", "2");
    let mut third = WireClient::connect(broker.port());
    third.assert_serves();
    client.assert_serves();
}

#[test]
fn levels_of_the_logger_change_until_a_restart() {
    let (mut broker, mut client) = start(&[]);
    let id = node(&mut client);
    let level = |client: &mut WireClient| value(client, LOGGER, &id, "root").0;
    assert_eq!(level(&mut client), "INFO");
    set(&mut client, LOGGER, &id, "root", "DEBUG");
    assert_eq!(level(&mut client), "DEBUG");
    let mut stranger = WireClient::connect(broker.port());
    stranger.send_bytes(&crate::harness::wire_client::frame(&[0x7f; 20]));
    stranger.assert_closed("it speaks no Kafka");
    wait_until("a line of level DEBUG", || broker.log().contains("DEBUG"));
    assert_eq!(
        refusal(&mut client, LOGGER, &id, &[("no.such", SET, Some("INFO"))]),
        (
            ErrorCode::INVALID_CONFIG,
            "Logger no.such does not exist!".to_owned()
        )
    );
    assert_eq!(
        refusal(&mut client, LOGGER, &id, &[("root", DELETE, None)]).0,
        ErrorCode::INVALID_REQUEST
    );
    broker.stop();
    broker.restart();
    let mut client = WireClient::connect(broker.port());
    assert_eq!(level(&mut client), "INFO");
}

#[test]
fn whatever_is_shown_as_changeable_can_be_set_back_to_what_it_is() {
    let (_broker, mut client) = start(&[]);
    let id = node(&mut client);
    client.create_topic_with(
        "t",
        1,
        &[("retention.ms", "7"), ("cleanup.policy", "compact,delete")],
    );
    set(
        &mut client,
        GROUP,
        "g",
        "consumer.session.timeout.ms",
        "46000",
    );
    for (kind, name) in [
        (TOPIC, "t"),
        (BROKER, id.as_str()),
        (GROUP, "g"),
        (CLIENT_METRICS, "m"),
        (LOGGER, &id),
    ] {
        let described = describe(&mut client, kind, name);
        let changeable = described
            .iter()
            .filter(|config| !config.read_only)
            .filter_map(|config| Some((&*config.name, SET, Some(config.value.as_deref()?))));
        let configs: Vec<_> = changeable.collect();
        assert!(!configs.is_empty(), "{kind} {name}");
        let outcome = ask(&mut client, vec![resource(kind, name, &configs)], false);
        assert_eq!(outcome, [(ErrorCode::NONE, String::new())], "{kind} {name}");
        let values = |configs: &[DescribeConfigsResourceResult]| -> Vec<_> {
            let shown = configs.iter();
            shown
                .map(|config| (config.name.clone(), config.value.clone()))
                .collect()
        };
        let after = describe(&mut client, kind, name);
        assert_eq!(values(&after), values(&described), "{kind} {name}");
    }
}

#[test]
fn replacing_forgets_what_is_not_named() {
    let (_broker, mut client) = start(&[]);
    client.create_topic_with("t", 1, &[("retention.ms", "7"), ("flush.ms", "8")]);
    for version in 0..=2 {
        let mut request = AlterConfigsRequest {
            resources: vec![replacing::AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: "t".into(),
                configs: vec![replacing::AlterableConfig {
                    name: "flush.ms".into(),
                    value: Some("9".into()),
                }],
            }],
            validate_only: version == 0,
        };
        let answer = client.call(version, &request);
        assert_eq!(answer.responses[0].error_code, ErrorCode::NONE);
        let expected = if version == 0 {
            ("7", OF_TOPIC)
        } else {
            ("604800000", DEFAULT)
        };
        assert_eq!(
            value(&mut client, TOPIC, "t", "retention.ms"),
            (expected.0.to_owned(), expected.1)
        );
        request.resources[0].configs[0].name = "no.such".into();
        let answer = client.call(version, &request);
        let refused = &answer.responses[0];
        assert_eq!(refused.error_code, ErrorCode::INVALID_CONFIG);
        assert_eq!(
            refused.error_message.as_deref(),
            Some("Unknown topic config name: no.such")
        );
    }
    assert_eq!(
        value(&mut client, TOPIC, "t", "flush.ms"),
        ("9".to_owned(), OF_TOPIC)
    );
}

#[test]
fn validating_makes_every_check_and_changes_nothing() {
    let (_broker, mut client) = start(&[]);
    client.create_topic("t", 1);
    let good = resource(TOPIC, "t", &[("retention.ms", SET, Some("7"))]);
    let bad = resource(TOPIC, "t2", &[("retention.ms", SET, Some("7"))]);
    let outcomes = ask(&mut client, vec![good, bad], true);
    assert_eq!(
        outcomes,
        [
            (ErrorCode::NONE, String::new()),
            (
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                "The topic 't2' does not exist.".to_owned()
            )
        ]
    );
    assert_eq!(value(&mut client, TOPIC, "t", "retention.ms").1, DEFAULT);
}

#[test]
fn refusals_carry_kafkas_codes_and_words() {
    let (_broker, mut client) = start(&[]);
    client.create_topic("t", 1);
    let config = ErrorCode::INVALID_CONFIG;
    let request = ErrorCode::INVALID_REQUEST;
    for (kind, name, setting, code, words) in [
        (
            TOPIC,
            "t",
            ("no.such", SET, Some("1")),
            config,
            "Unknown topic config name: no.such",
        ),
        (
            TOPIC,
            "t",
            ("retention.ms", SET, Some("x")),
            config,
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
        (
            TOPIC,
            "t",
            ("retention.ms", SET, None),
            request,
            "Null value not supported for : retention.ms",
        ),
        (
            TOPIC,
            "t",
            ("retention.ms", APPEND, Some("1")),
            config,
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (
            TOPIC,
            "t",
            ("remote.storage.enable", SET, Some("true")),
            config,
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
        ),
        (
            TOPIC,
            "",
            ("retention.ms", SET, Some("1")),
            request,
            "Default topic resources are not allowed.",
        ),
        (
            BROKER,
            "99",
            ("log.retention.ms", SET, Some("1")),
            request,
            "Unexpected broker id, expected 1, but received 99",
        ),
        (
            BROKER,
            "x",
            ("log.retention.ms", SET, Some("1")),
            request,
            "Node id must be an integer, but it is: x",
        ),
        (
            BROKER,
            "1",
            ("num.partitions", SET, Some("2")),
            request,
            "Cannot update these configs dynamically: [num.partitions]",
        ),
        (
            BROKER,
            "1",
            ("log.segment.bytes", SET, Some("5")),
            request,
            "Invalid value 5 for configuration log.segment.bytes: Value must be at least 1048576",
        ),
        (
            GROUP,
            "g",
            ("x", SET, Some("1")),
            config,
            "Unknown group config name: x",
        ),
        (
            GROUP,
            "g",
            ("consumer.session.timeout.ms", SET, Some("1")),
            config,
            "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
        ),
        (
            CLIENT_METRICS,
            "m",
            ("interval.ms", SET, Some("1")),
            request,
            "Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)",
        ),
        (
            3,
            "x",
            ("a", SET, Some("1")),
            request,
            "Unknown resource type 3",
        ),
    ] {
        let refused = refusal(&mut client, kind, name, &[setting]);
        assert_eq!(refused, (code, words.to_owned()), "{name} {setting:?}");
    }
    let twice = || resource(TOPIC, "t", &[("retention.ms", SET, Some("1"))]);
    let outcomes = ask(&mut client, vec![twice(), twice()], false);
    let words = "Each resource must appear at most once.".to_owned();
    assert_eq!(outcomes, vec![(request, words); 2]);
    for (kind, name, words) in [
        (
            BROKER,
            "99",
            "Unexpected broker id, expected 1 or empty string, but received 99",
        ),
        (BROKER, "x", "Broker id must be an integer, but it is: x"),
        (LOGGER, "", "Broker id must not be empty"),
        (GROUP, "", "Group name must not be empty"),
        (
            CLIENT_METRICS,
            "",
            "Client metrics subscription name must not be empty",
        ),
    ] {
        let result = describe_at(&mut client, 4, kind, name, None);
        assert_eq!(result.error_code, request);
        assert_eq!(result.error_message.as_deref(), Some(words));
    }
}

#[test]
fn every_version_describes_every_setting_with_what_it_knows_of_it() {
    let (_broker, mut client) = start(&[("num.partitions", "3")]);
    let id = node(&mut client);
    client.create_topic_with("t", 1, &[("retention.ms", "7")]);
    for version in 0..=4 {
        let topic = describe_at(&mut client, version, TOPIC, "t", None).configs;
        assert_eq!(topic.len(), 33, "version {version}");
        let broker = describe_at(&mut client, version, BROKER, &id, None).configs;
        assert!(broker.len() >= 340, "version {version}");
        let find = |configs: &[DescribeConfigsResourceResult], name: &str| {
            configs
                .iter()
                .find(|config| &*config.name == name)
                .cloned()
                .expect("the setting")
        };
        let own = find(&topic, "retention.ms");
        let inherited = find(&topic, "retention.bytes");
        if version == 0 {
            assert!(!own.is_default && inherited.is_default);
        } else {
            assert_eq!(
                (own.config_source, inherited.config_source),
                (OF_TOPIC, DEFAULT)
            );
            assert_eq!(own.synonyms[0].value.as_deref(), Some("7"));
        }
        if version >= 3 {
            assert_eq!(own.config_type, 5);
            assert!(own.documentation.is_some_and(|words| !words.is_empty()));
        }
        let fixed = find(&broker, "num.partitions");
        assert!(fixed.read_only && fixed.value.as_deref() == Some("3"));
        assert!(!find(&broker, "log.retention.ms").read_only);
        assert!(
            find(&broker, "listeners").read_only,
            "it takes a restart here"
        );
        let secret = find(&broker, "ssl.keystore.password");
        assert!(secret.is_sensitive && secret.value.is_none());
        assert_eq!(
            describe_at(&mut client, version, BROKER, "", None).configs,
            []
        );
    }
    let asked = describe_at(
        &mut client,
        4,
        TOPIC,
        "t",
        Some(&["segment.ms", "no.such", "segment.ms"]),
    );
    assert_eq!(asked.configs.len(), 1);
}

#[test]
fn groups_and_client_metrics_keep_their_settings_and_are_listed() {
    let (mut broker, mut client) = start(&[]);
    client.create_topic("t", 1);
    set(
        &mut client,
        GROUP,
        "g",
        "consumer.session.timeout.ms",
        "46000",
    );
    set(&mut client, CLIENT_METRICS, "m", "interval.ms", "1000");
    broker.kill();
    broker.restart();
    assert!(broker.log().contains("without effect"), "{}", broker.log());
    let mut client = WireClient::connect(broker.port());
    assert_eq!(
        value(&mut client, GROUP, "g", "consumer.session.timeout.ms"),
        ("46000".to_owned(), OF_GROUP)
    );
    assert_eq!(
        value(&mut client, GROUP, "other", "consumer.session.timeout.ms"),
        ("45000".to_owned(), DEFAULT)
    );
    let listed = |client: &mut WireClient, version, kinds: &[i8]| {
        let request = ListConfigResourcesRequest {
            resource_types: kinds.to_vec(),
        };
        let answer = client.call(version, &request);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let resources = answer.config_resources.into_iter();
        let mut names: Vec<_> = resources
            .map(|resource| (resource.resource_type, resource.resource_name.to_string()))
            .collect();
        names.sort();
        names
    };
    let named = |kind: i8, name: &str| (kind, name.to_owned());
    assert_eq!(listed(&mut client, 0, &[]), [named(CLIENT_METRICS, "m")]);
    assert_eq!(listed(&mut client, 1, &[GROUP]), [named(GROUP, "g")]);
    assert_eq!(
        listed(&mut client, 1, &[]),
        [
            named(TOPIC, "t"),
            named(BROKER, "1"),
            named(LOGGER, "1"),
            named(CLIENT_METRICS, "m"),
            named(GROUP, "g"),
        ]
    );
    unset(&mut client, GROUP, "g", "consumer.session.timeout.ms");
    assert_eq!(listed(&mut client, 1, &[GROUP]), []);
    let strange = ListConfigResourcesRequest {
        resource_types: vec![77],
    };
    assert_eq!(
        client.call(1, &strange).error_code,
        ErrorCode::UNSUPPORTED_VERSION
    );
}

#[test]
fn however_much_is_asked_for_the_answer_is_bounded() {
    let (mut broker, mut client) = start(&[]);
    let id = node(&mut client);
    let resource = DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: id.as_str().into(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource; 5000],
        ..DescribeConfigsRequest::default()
    };
    let answer = client.call(1, &request);
    assert_eq!(answer.results.len(), 5000);
    let settings: usize = answer
        .results
        .iter()
        .map(|result| result.configs.len())
        .sum();
    assert!((100_000..400_000).contains(&settings), "{settings}");
    let last = answer.results.last().expect("5000 of them");
    assert_eq!(last.error_code, ErrorCode::POLICY_VIOLATION);
    assert!(broker.is_running());
}

#[test]
fn names_that_nobody_knows_are_kept_for_a_broker_and_their_values_are_not_told() {
    let (_broker, mut client) = start(&[]);
    set(&mut client, BROKER, "", "a.plugins.secret", "hush");
    let [kept] = &describe(&mut client, BROKER, "")[..] else {
        panic!("one setting");
    };
    assert_eq!(&*kept.name, "a.plugins.secret");
    assert!(kept.is_sensitive && kept.read_only && kept.value.is_none());
}

/// The broker's id, as a resource is named.
fn node(client: &mut WireClient) -> String {
    let request = vltava::wire::messages::metadata::MetadataRequest::default();
    client.call(1, &request).brokers[0].node_id.to_string()
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).expect("the kernel accepts before the broker does")
}
