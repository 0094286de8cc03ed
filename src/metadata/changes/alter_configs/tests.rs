//! What changing settings leaves behind, and every way it is refused.

use uuid::Uuid;

use super::*;
use crate::types::Offset;
use crate::wire::metadata_records::{FeatureLevelRecord, TopicRecord};

const NODE: i32 = 1;

fn image() -> Image {
    let topic = TopicRecord {
        name: Text::from("t"),
        topic_id: Uuid::from_u128(1),
    };
    apply(&Image::default(), &[topic.into()])
}

fn apply(image: &Image, records: &[MetadataRecord]) -> Image {
    image
        .apply(records, image.end() + records.len() as i64)
        .unwrap()
}

fn value(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn set(name: &str, text: &str) -> (String, Alteration) {
    (name.to_owned(), Alteration::Set(value(text)))
}

fn change(resource_type: i8, name: &str, settings: &[(String, Alteration)]) -> ConfigChange {
    ConfigChange {
        resource_type,
        resource_name: name.to_owned(),
        settings: settings.to_vec(),
        replaces: false,
    }
}

fn of_topic(settings: &[(String, Alteration)]) -> ConfigChange {
    change(TOPIC_RESOURCE, "t", settings)
}

fn alter(
    image: &Image,
    changes: &[ConfigChange],
) -> (Vec<MetadataRecord>, Vec<Result<(), Refusal>>) {
    let rules = AlterRules {
        node_id: NODE,
        settings: &Settings::default(),
    };
    let altering = Altering::new(image, rules, changes);
    let mut records = Vec::new();
    let decided = changes.iter().map(|change| altering.decide(change));
    let outcomes = decided.map(|outcome| outcome.map(|made| records.extend(made)));
    let outcomes = outcomes.collect();
    (records, outcomes)
}

fn altered(image: &Image, change: ConfigChange) -> Image {
    let (records, outcomes) = alter(image, std::slice::from_ref(&change));
    assert_eq!(outcomes, [Ok(())], "{change:?}");
    apply(image, &records)
}

fn refusal(change: ConfigChange) -> Refusal {
    let (records, mut outcomes) = alter(&image(), &[change]);
    assert_eq!(records, [], "what is refused leaves no record");
    outcomes.pop().unwrap().expect_err("must be refused")
}

fn topic_configs(image: &Image) -> Vec<(&str, &str)> {
    let configs = &image.topic_by_name("t").unwrap().configs;
    configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn single_settings_change_and_the_others_stay() {
    let first = altered(
        &image(),
        of_topic(&[set("retention.ms", "5"), set("flush.ms", "7")]),
    );
    let delete = ("flush.ms".to_owned(), Alteration::Delete);
    let second = altered(&first, of_topic(&[set("retention.ms", "6"), delete]));
    assert_eq!(topic_configs(&second), [("retention.ms", "6")]);
    let nothing = of_topic(&[
        set("retention.ms", "6"),
        ("no.such".to_owned(), Alteration::Delete),
    ]);
    assert_eq!(alter(&second, &[nothing]), (vec![], vec![Ok(())]));
}

#[test]
fn replacing_puts_what_is_not_named_back_to_its_default() {
    let first = altered(
        &image(),
        of_topic(&[set("retention.ms", "5"), set("flush.ms", "7")]),
    );
    let all = ConfigChange {
        replaces: true,
        ..of_topic(&[set("flush.ms", "8")])
    };
    let second = altered(&first, all);
    assert_eq!(topic_configs(&second), [("flush.ms", "8")]);
}

#[test]
fn lists_grow_and_shrink_from_what_holds() {
    let append =
        |text: &str| of_topic(&[("cleanup.policy".to_owned(), Alteration::Append(value(text)))]);
    let subtract = |text: &str| {
        let subtraction = Alteration::Subtract(value(text));
        of_topic(&[("cleanup.policy".to_owned(), subtraction)])
    };
    let both = altered(&image(), append("compact"));
    assert_eq!(topic_configs(&both), [("cleanup.policy", "delete,compact")]);
    let same = altered(&both, append("compact,delete"));
    assert_eq!(topic_configs(&same), [("cleanup.policy", "delete,compact")]);
    let one = altered(&same, subtract("compact"));
    assert_eq!(topic_configs(&one), [("cleanup.policy", "delete")]);
    let none = altered(&one, subtract("delete"));
    assert_eq!(topic_configs(&none), [("cleanup.policy", "")]);
}

#[test]
fn a_resource_that_has_no_settings_any_more_is_forgotten() {
    let name = "consumer.session.timeout.ms";
    let group = |alteration| change(GROUP_RESOURCE, "g", &[(name.to_owned(), alteration)]);
    let with = altered(&image(), group(Alteration::Set(value("46000"))));
    assert_eq!(with.configured(GROUP_RESOURCE).collect::<Vec<_>>(), ["g"]);
    let without = altered(&with, group(Alteration::Delete));
    assert_eq!(without.configured(GROUP_RESOURCE).count(), 0);
    assert_eq!(without.configured(BROKER_RESOURCE).count(), 0);
}

#[test]
fn one_refusal_does_not_spoil_the_other_resources() {
    let good = change(BROKER_RESOURCE, "", &[set("log.retention.ms", "9")]);
    let (records, outcomes) = alter(&image(), &[of_topic(&[set("x", "1")]), good]);
    assert_eq!(
        outcomes,
        [
            Err(Refusal::InvalidConfig(
                "Unknown topic config name: x".to_owned()
            )),
            Ok(())
        ]
    );
    let after = apply(&image(), &records);
    assert_eq!(after.dynamic_configs(NODE).cluster["log.retention.ms"], "9");
}

#[test]
fn refusals_carry_the_words_of_kafka() {
    let request = |words: &str| Refusal::InvalidRequest(words.to_owned());
    let config = |words: &str| Refusal::InvalidConfig(words.to_owned());
    let null = ("retention.ms".to_owned(), Alteration::Set(None));
    let append = ("retention.ms".to_owned(), Alteration::Append(value("1")));
    let unknown = ("retention.ms".to_owned(), Alteration::Unknown);
    let retention = || set("retention.ms", "1");
    for (change, words) in [
        (
            of_topic(&[set("retention.ms", "x")]),
            config("Invalid value x for configuration retention.ms: Not a number of type LONG"),
        ),
        (
            of_topic(&[null]),
            request("Null value not supported for : retention.ms"),
        ),
        (
            of_topic(&[append]),
            config("Can't APPEND to key retention.ms because its type is not LIST."),
        ),
        (of_topic(&[unknown]), Refusal::UnknownOperation),
        (
            of_topic(&[retention(), retention()]),
            request("Error due to duplicate config keys"),
        ),
        (
            change(TOPIC_RESOURCE, "nope", &[retention()]),
            Refusal::NoSuchTopic("nope".to_owned()),
        ),
        (
            change(TOPIC_RESOURCE, "", &[retention()]),
            request("Default topic resources are not allowed."),
        ),
        (
            change(GROUP_RESOURCE, "", &[]),
            request("Default group resources are not allowed."),
        ),
        (
            change(CLIENT_METRICS_RESOURCE, "", &[]),
            request("Subscription name can't be empty"),
        ),
        (
            change(BROKER_RESOURCE, "7", &[]),
            request("Unexpected broker id, expected 1, but received 7"),
        ),
        (
            change(BROKER_RESOURCE, "x", &[]),
            request("Node id must be an integer, but it is: x"),
        ),
        (
            change(BROKER_RESOURCE, "1", &[set("num.partitions", "5")]),
            request("Cannot update these configs dynamically: [num.partitions]"),
        ),
        (change(3, "x", &[]), request("Unknown resource type 3")),
        (
            change(GROUP_RESOURCE, "g", &[set("x", "1")]),
            config("Unknown group config name: x"),
        ),
        (
            change(CLIENT_METRICS_RESOURCE, "m", &[set("x", "1")]),
            request("Unknown client metrics configuration: x"),
        ),
    ] {
        assert_eq!(refusal(change), words);
    }
}

#[test]
fn a_resource_that_is_named_twice_is_refused_both_times_and_the_others_are_not() {
    let one = of_topic(&[set("retention.ms", "1")]);
    let two = of_topic(&[set("retention.ms", "2")]);
    let other = change(BROKER_RESOURCE, "1", &[set("log.retention.ms", "5")]);
    let (records, outcomes) = alter(&image(), &[one, two, other]);
    let twice = || {
        Err(Refusal::InvalidRequest(
            "Each resource must appear at most once.".to_owned(),
        ))
    };
    assert_eq!(outcomes, [twice(), twice(), Ok(())]);
    assert_eq!(records.len(), 1);
}

#[test]
fn too_much_at_once_is_refused_as_a_whole() {
    let long = "x".repeat(CONFIG_VALUE_MAX_BYTES + 1);
    assert!(matches!(
        refusal(change(BROKER_RESOURCE, "", &[set("plugin", &long)])),
        Refusal::InvalidConfig(words) if words.contains("maximum value size of 32767 bytes")
    ));
    let settings: Vec<_> = (0..200).map(|n| set(&n.to_string(), &long[1..])).collect();
    let refused = refusal(change(BROKER_RESOURCE, "", &settings));
    assert!(matches!(refused, Refusal::PolicyViolation(_)), "{refused}");
}

#[test]
fn with_eligible_leader_replicas_the_least_in_sync_replicas_are_the_same_everywhere() {
    let name = "min.insync.replicas";
    let feature = FeatureLevelRecord {
        name: Text::from("eligible.leader.replicas.version"),
        feature_level: 1,
    };
    let plain = image();
    let own = change(BROKER_RESOURCE, "1", &[set(name, "2")]);
    assert_eq!(alter(&plain, std::slice::from_ref(&own)).1, [Ok(())]);
    let eligible = apply(&plain, &[feature.into()]);
    assert!(alter(&eligible, &[own]).1[0].is_err());
    let all = altered(&eligible, change(BROKER_RESOURCE, "", &[set(name, "2")]));
    let delete = change(
        BROKER_RESOURCE,
        "",
        &[(name.to_owned(), Alteration::Delete)],
    );
    assert_eq!(
        alter(&all, &[delete]).1,
        [Err(Refusal::InvalidConfig(
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.".to_owned()
        ))]
    );
}

#[test]
fn what_a_topic_shows_can_be_set_to_what_it_is() {
    let image = image();
    let described = describe::describe_topic(
        &Settings::default(),
        &image.dynamic_configs(NODE),
        &Configs::new(),
    );
    let settings: Vec<_> = described
        .iter()
        .map(|setting| set(setting.name, setting.value.as_deref().unwrap()))
        .collect();
    for replaces in [false, true] {
        let change = ConfigChange {
            replaces,
            ..of_topic(&settings)
        };
        assert_eq!(alter(&image, &[change]).1, [Ok(())]);
    }
    assert_eq!(image.end(), Offset(1));
}
