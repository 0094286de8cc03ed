//! `kafka-features upgrade`, `downgrade` and `disable`: levels of features changed, all or none.

use std::collections::BTreeMap;
use std::io::Write;

use super::{DRY_RUN, FEATURE, METADATA, METADATA_VERSION, PATIENCE, UNSAFE, level_of_release};
use crate::cli::kafka::options::Options;
use crate::cli::kafka::{CommandError, connect_by};
use crate::wire::ErrorCode;
use crate::wire::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

/// What is to become of the levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Up.
    Upgrade,
    /// Down.
    Downgrade,
    /// Down to 0.
    Disable,
}

impl Action {
    /// As it stands on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Action::Upgrade => "upgrade",
            Action::Downgrade => "downgrade",
            Action::Disable => "disable",
        }
    }

    /// `FeatureUpdate.UpgradeType` of the protocol.
    fn upgrade_type(self, even_so: bool) -> i8 {
        match (self, even_so) {
            (Action::Upgrade, _) => 1,
            (_, false) => 2,
            (_, true) => 3,
        }
    }

    /// What was done or would be, or what could not.
    fn line(self, feature: &str, level: i16, dry: bool, refused: Option<&str>) -> String {
        let word = self.word();
        let to = match self {
            Action::Disable => String::new(),
            _ => format!(" to {level}"),
        };
        match (refused, dry) {
            (None, false) => format!("{feature} was {word}d{to}."),
            (None, true) => format!("{feature} can be {word}d{to}."),
            (Some(why), false) => format!("Could not {word} {feature}{to}. {why}"),
            (Some(why), true) => format!("Can not {word} {feature}{to}. {why}"),
        }
    }
}

/// Asks for the new levels and prints what became of each.
///
/// # Errors
/// When the command line is wrong, the cluster cannot be reached, or a level was refused.
pub fn run(action: Action, options: &Options, out: &mut dyn Write) -> Result<(), CommandError> {
    let levels = levels(action, options)?;
    let (dry, even_so) = (options.has(DRY_RUN.name), options.has(UNSAFE.name));
    let update = |(feature, level): (&String, &i16)| FeatureUpdateKey {
        feature: feature.as_str().into(),
        max_version_level: *level,
        allow_downgrade: action != Action::Upgrade,
        upgrade_type: action.upgrade_type(even_so),
    };
    let request = UpdateFeaturesRequest {
        feature_updates: levels.iter().map(update).collect(),
        validate_only: dry,
        ..UpdateFeaturesRequest::default()
    };
    let mut cluster = connect_by(options, "kafka-features", PATIENCE)?;
    let answer = cluster.patiently(|cluster| cluster.controller()?.call(&request))?;
    let mut failed = 0;
    for (feature, level) in &levels {
        let of_feature = answer
            .results
            .iter()
            .find(|result| result.feature == feature.as_str());
        let (code, words) = match of_feature {
            Some(result) if result.error_code != ErrorCode::NONE => {
                (result.error_code, &result.error_message)
            }
            _ => (answer.error_code, &answer.error_message),
        };
        let refused = (code != ErrorCode::NONE).then(|| {
            let words = words.as_ref().map(ToString::to_string);
            words.unwrap_or_else(|| code.to_string())
        });
        failed += usize::from(refused.is_some());
        let line = action.line(feature, *level, dry, refused.as_deref());
        writeln!(out, "{line}")?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(CommandError::failed(format!(
            "{failed} out of {} operation(s) failed.",
            levels.len()
        ))),
    }
}

/// The features that are named, with their new levels.
fn levels(action: Action, options: &Options) -> Result<BTreeMap<String, i16>, CommandError> {
    let mut levels = BTreeMap::new();
    if let Some(release) = options.value(METADATA.name) {
        let level = level_of_release(release)
            .ok_or_else(|| CommandError::failed(format!("Unknown metadata.version {release}.")))?;
        levels.insert(METADATA_VERSION.to_owned(), level);
    }
    for text in options.values(FEATURE.name) {
        let (feature, level) = match action {
            Action::Disable => (text, 0),
            _ => name_and_level(text)?,
        };
        if levels.insert(feature.to_owned(), level).is_some() {
            return Err(CommandError::failed(format!(
                "Feature {feature} was specified more than once."
            )));
        }
    }
    match levels.is_empty() {
        true => Err(CommandError::failed(format!(
            "You must specify at least one feature to {}",
            action.word()
        ))),
        false => Ok(levels),
    }
}

fn name_and_level(text: &str) -> Result<(&str, i16), CommandError> {
    let parts = text.split_once('=');
    let parsed = parts.and_then(|(name, level)| Some((name, level.trim().parse().ok()?)));
    parsed.ok_or_else(|| {
        CommandError::failed(format!(
            "Can't parse feature=level string {text}: a name, '=' and a number are expected"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(action: Action, line: &str) -> Result<BTreeMap<String, i16>, CommandError> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        levels(
            action,
            &Options::parse(super::super::OPTIONS, &args).unwrap(),
        )
    }

    #[test]
    fn features_are_named_with_their_levels() {
        let two = given(Action::Upgrade, "--feature a.version=2 --metadata 4.3-IV0").unwrap();
        let two: Vec<_> = two
            .iter()
            .map(|(name, level)| (name.as_str(), *level))
            .collect();
        assert_eq!(two, [("a.version", 2), ("metadata.version", 30)]);
        assert_eq!(given(Action::Disable, "--feature a").unwrap()["a"], 0);
        for wrong in [
            "",
            "--feature a",
            "--feature a=x",
            "--feature a=1 --feature a=2",
            "--metadata 9.9",
        ] {
            assert!(given(Action::Upgrade, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_became_of_a_feature_is_said_in_kafka_s_words() {
        let line = |action: Action, dry, refused| action.line("f", 2, dry, refused);
        assert_eq!(line(Action::Upgrade, false, None), "f was upgraded to 2.");
        assert_eq!(line(Action::Disable, true, None), "f can be disabled.");
        assert_eq!(
            line(Action::Downgrade, false, Some("No.")),
            "Could not downgrade f to 2. No."
        );
    }
}
