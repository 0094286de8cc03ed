//! `kafka-features`: the levels of the cluster's features, described and changed; Kafka's `FeatureCommand`.

mod update;

use std::io::Write;
use std::time::Duration;

use super::options::{Opt, Options, help_or_version};
use super::{CommandError, connect_by, connecting};
use crate::wire::messages::api_versions::ApiVersionsRequest;
use update::Action;

pub const OPTIONS: &[Opt] = &[
    connecting::BOOTSTRAP_SERVER,
    connecting::COMMAND_CONFIG,
    FEATURE,
    METADATA,
    UNSAFE,
    DRY_RUN,
    connecting::HELP,
    connecting::VERSION,
];

const FEATURE: Opt = Opt::list(
    "feature",
    "FEATURE=LEVEL",
    "A feature to change and its new level, for example transaction.version=2; to disable one, its name.",
);
const METADATA: Opt = Opt::value(
    "metadata",
    "RELEASE",
    "The level of metadata.version by its release, for example 4.3-IV0.",
);
const UNSAFE: Opt = Opt::flag(
    "unsafe",
    "Lower the level even if metadata may be lost by it.",
);
const DRY_RUN: Opt = Opt::flag("dry-run", "Only check whether it could be done.");

const PATIENCE: Duration = Duration::from_secs(30);
const USAGE: &str = "usage: kafka-features --bootstrap-server HOST:PORT [--command-config FILE] \
    describe | upgrade | downgrade | disable [--feature FEATURE=LEVEL ...] [--metadata RELEASE] [--unsafe] [--dry-run]";
const METADATA_VERSION: &str = "metadata.version";
/// Names of the levels of `metadata.version` from 7 on (Kafka's `MetadataVersion`).
const RELEASES: [&str; 24] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2",
    "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0",
    "4.0-IV1", "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0",
];
const FIRST_RELEASE: i16 = 7;
const ACTIONS: [&str; 6] = [
    "describe",
    "upgrade",
    "downgrade",
    "disable",
    "version-mapping",
    "feature-dependencies",
];

/// Runs its one action; the name of it may stand before or behind the options.
///
/// # Errors
/// When the command line is wrong, the cluster cannot be reached, or a level was refused.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let at = args.iter().position(|arg| ACTIONS.contains(&arg.as_str()));
    let action = at.map(|at| args[at].as_str());
    let mut rest = args.to_vec();
    if let Some(at) = at {
        rest.remove(at);
    }
    let options = Options::parse(OPTIONS, &rest)?;
    if help_or_version(&options, USAGE, out)? {
        return Ok(());
    }
    let action = match action {
        None => return Err(CommandError::usage(USAGE)),
        Some("describe") => return describe(&options, out),
        Some("upgrade") => Action::Upgrade,
        Some("downgrade") => Action::Downgrade,
        Some("disable") => Action::Disable,
        Some(other) => {
            return Err(CommandError::failed(format!(
                "kafka-features {other} is not here: features depend on no others; see describe"
            )));
        }
    };
    update::run(action, &options, out)
}

fn describe(options: &Options, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut cluster = connect_by(options, "kafka-features", PATIENCE)?;
    let request = ApiVersionsRequest {
        client_software_name: "vltava".into(),
        client_software_version: env!("CARGO_PKG_VERSION").into(),
    };
    let answer = cluster.any()?.call(&request)?;
    let epoch = match answer.finalized_features_epoch {
        epoch if epoch >= 0 => epoch.to_string(),
        _ => "-".to_owned(),
    };
    let mut supported = answer.supported_features;
    supported.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    for feature in supported {
        let name = feature.name.as_str();
        let mut finalized = answer.finalized_features.iter();
        let level = finalized.find(|finalized| finalized.name == feature.name);
        let level = level.map_or(0, |found| found.max_version_level);
        writeln!(
            out,
            "Feature: {name:<42}SupportedMinVersion: {:<17}SupportedMaxVersion: {:<17}FinalizedVersionLevel: {:<17}Epoch: {epoch}",
            level_text(name, feature.min_version),
            level_text(name, feature.max_version),
            level_text(name, level),
        )?;
    }
    Ok(())
}

/// The level of `metadata.version` that a release has.
fn level_of_release(release: &str) -> Option<i16> {
    let index = RELEASES.iter().position(|known| *known == release)?;
    Some(FIRST_RELEASE + i16::try_from(index).ok()?)
}

/// A level of `metadata.version` goes by the name of its release.
fn level_text(feature: &str, level: i16) -> String {
    if feature != METADATA_VERSION {
        return level.to_string();
    }
    let index = usize::try_from(i32::from(level) - i32::from(FIRST_RELEASE)).ok();
    match index.and_then(|index| RELEASES.get(index)) {
        Some(release) => (*release).to_owned(),
        None => format!("UNKNOWN {level}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_the_metadata_version_is_the_name_of_a_release() {
        for (level, name) in [
            (7, "3.3-IV3"),
            (21, "3.9-IV0"),
            (25, "4.0-IV3"),
            (30, "4.3-IV0"),
            (31, "UNKNOWN 31"),
            (0, "UNKNOWN 0"),
        ] {
            assert_eq!(level_text(METADATA_VERSION, level), name);
        }
        assert_eq!(level_text("group.version", 1), "1");
    }
}
