//! What `kafka-configs` is about: `--entity-type` with `--entity-name` or `--entity-default`, or the short options for one kind.

use super::Options;
use crate::client::config_admin::ResourceKind;

/// A kind of thing, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    pub kind: ResourceKind,
    /// `None`: all of them. Empty: the default of all.
    pub name: Option<String>,
}

impl Entity {
    pub fn plural(&self) -> &'static str {
        match self.kind {
            ResourceKind::Topic => "topics",
            ResourceKind::Broker => "brokers",
            ResourceKind::Group => "groups",
        }
    }

    pub fn singular(&self) -> &'static str {
        self.plural().trim_end_matches('s')
    }

    /// The source (`ConfigEntry.ConfigSource`) of what was set on `name` itself.
    pub fn dynamic_source(&self, name: &str) -> i8 {
        match self.kind {
            ResourceKind::Topic => 1,
            ResourceKind::Broker if name.is_empty() => 3,
            ResourceKind::Broker => 2,
            ResourceKind::Group => 8,
        }
    }
}

/// Kafka's kinds, in the order in which Kafka's command lists them.
const KINDS: [&str; 8] = [
    "topics",
    "clients",
    "users",
    "brokers",
    "ips",
    "client-metrics",
    "groups",
    "broker-loggers",
];
/// The short options: with a name, and for the default.
const SHORT: [(&str, &str); 12] = [
    ("topic", "topics"),
    ("client", "clients"),
    ("user", "users"),
    ("broker", "brokers"),
    ("broker-logger", "broker-loggers"),
    ("ip", "ips"),
    ("client-metrics", "client-metrics"),
    ("group", "groups"),
    ("client-defaults", "clients"),
    ("user-defaults", "users"),
    ("broker-defaults", "brokers"),
    ("ip-defaults", "ips"),
];

/// The one entity that the options mean.
///
/// # Errors
/// A sentence, Kafka's own where Kafka refuses the same.
pub fn entity(options: &Options) -> Result<Entity, String> {
    let short: Vec<_> = SHORT
        .iter()
        .filter(|(option, _)| options.has(option))
        .collect();
    let long = options.values("entity-type").into_iter();
    let kinds: Vec<&str> = long.chain(short.iter().map(|(_, kind)| *kind)).collect();
    let twice = kinds
        .iter()
        .enumerate()
        .find(|(at, kind)| kinds[..*at].contains(kind));
    if let Some((_, kind)) = twice {
        return Err(format!("Duplicate entity type(s) specified: {kind}"));
    }
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(format!(
            "Invalid entity type {unknown}, the entity type must be one of {} with a --bootstrap-server or --bootstrap-controller argument",
            KINDS.join(", ")
        ));
    }
    let long = ["entity-type", "entity-name", "entity-default"];
    if !short.is_empty() && long.iter().any(|option| options.has(option)) {
        return Err(
            "--entity-{type,name,default} should not be used in conjunction with specific entity flags".to_owned(),
        );
    }
    let kind = match kinds[..] {
        [] => return Err("At least one entity type must be specified".to_owned()),
        [kind] => kind,
        _ => {
            return Err(
                "Only 'users' and 'clients' entity types may be specified together".to_owned(),
            );
        }
    };
    let kind = match kind {
        "topics" => ResourceKind::Topic,
        "brokers" => ResourceKind::Broker,
        "groups" => ResourceKind::Group,
        other => {
            return Err(format!(
                "{other} have no configuration that this command knows; it describes and alters topics, brokers and groups"
            ));
        }
    };
    let name = name(options, &short);
    let broker = name
        .as_deref()
        .filter(|name| kind == ResourceKind::Broker && !name.is_empty());
    match broker.filter(|name| name.parse::<i32>().is_err()) {
        Some(name) => Err(format!(
            "The entity name for brokers must be a valid integer broker id, but it is: {name}"
        )),
        None => Ok(Entity { kind, name }),
    }
}

fn name(options: &Options, short: &[&(&str, &str)]) -> Option<String> {
    match short.first() {
        Some((option, _)) => Some(options.value(option).unwrap_or_default().to_owned()),
        None if options.has("entity-default") => Some(String::new()),
        None => options.value("entity-name").map(ToOwned::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<(ResourceKind, Option<String>), String> {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let options = Options::parse(super::super::OPTIONS, &args).unwrap();
        entity(&options).map(|entity| (entity.kind, entity.name))
    }

    #[test]
    fn an_entity_is_named_in_a_long_and_a_short_way() {
        for (line, kind, name) in [
            (
                "--entity-type topics --entity-name t",
                ResourceKind::Topic,
                Some("t"),
            ),
            ("--topic t", ResourceKind::Topic, Some("t")),
            ("--entity-type topics", ResourceKind::Topic, None),
            (
                "--entity-type brokers --entity-default",
                ResourceKind::Broker,
                Some(""),
            ),
            ("--broker-defaults", ResourceKind::Broker, Some("")),
            ("--broker 1", ResourceKind::Broker, Some("1")),
            ("--group g", ResourceKind::Group, Some("g")),
        ] {
            assert_eq!(of(line), Ok((kind, name.map(ToOwned::to_owned))), "{line}");
        }
    }

    #[test]
    fn kinds_without_a_configuration_here_are_refused_in_words() {
        for line in [
            "--user u",
            "--client c",
            "--ip-defaults",
            "--client-metrics m",
            "--broker-logger 1",
        ] {
            assert!(
                of(line).unwrap_err().contains("topics, brokers and groups"),
                "{line}"
            );
        }
        assert!(
            of("--entity-type nix")
                .unwrap_err()
                .starts_with("Invalid entity type nix")
        );
        assert!(
            of("--topic t --entity-name t")
                .unwrap_err()
                .contains("in conjunction")
        );
    }
}
