//! `kafka-storage`: makes data directories ready for a node of a cluster (`format`), tells whose they are (`info`), and makes
//! ids (`random-uuid`); Kafka's `StorageTool`.
//!
//! A directory is formatted when it has a `meta.properties`. The rest the broker makes at its first start: it is the only
//! controller of its cluster, and the levels of its features are its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::CommandError;
use super::options::{Opt, Options};
use super::server_start::{log_dirs, properties_text, property};
use crate::metadata::meta_properties::{MetaProperties, StoredMetaProperties};
use crate::types::kafka_uuid;

pub const OPTIONS: &[Opt] = &[
    Opt::value("config", "CONFIG", "-c: the server.properties to use."),
    Opt::value(
        "cluster-id",
        "CLUSTER_ID",
        "-t: the cluster id to use; random-uuid makes one.",
    ),
    Opt::flag(
        "ignore-formatted",
        "-g: pass over directories that are formatted already.",
    ),
    Opt::flag(
        "standalone",
        "-s: this node is the only controller, as it always is here.",
    ),
    Opt::flag(
        "no-initial-controllers",
        "-N: refused: there is no other controller to join.",
    ),
    Opt::value(
        "initial-controllers",
        "ID@HOST:PORT:DIRECTORY",
        "-I: refused: there is one controller, this node.",
    ),
    Opt::value(
        "release-version",
        "RELEASE_VERSION",
        "-r: the metadata.version; 4.3-IV0 is the one that is written.",
    ),
    Opt::value(
        "feature",
        "FEATURE=LEVEL",
        "-f: a feature's level; metadata.version=30 is the one that can be chosen.",
    ),
    Opt::value(
        "add-scram",
        "ADD_SCRAM",
        "-S: refused: the broker has no SCRAM.",
    ),
    Opt::flag("help", "-h: print usage information."),
];

const META_PROPERTIES: &str = "meta.properties";
/// The metadata version that the broker writes, by name and as a level.
const RELEASE: &str = "4.3-IV0";
const METADATA_VERSION: &str = "30";

const USAGE: &str = "\
usage: kafka-storage [-h] {info,format,version-mapping,random-uuid} ...
  info         --config CONFIG                            whose the data directories are
  format       --config CONFIG --cluster-id ID [--standalone] [--ignore-formatted]
                                                          make the data directories a cluster's
  version-mapping                                         the features of the metadata version
  random-uuid                                             make an id";

/// Runs one of its actions.
///
/// # Errors
/// In Kafka's words where Kafka refuses the same.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let Some((action, rest)) = args.split_first() else {
        return Err(wrong("too few arguments"));
    };
    let options = Options::parse(OPTIONS, &long_names(rest));
    match action.as_str() {
        "-h" | "--help" => writeln!(out, "{USAGE}")?,
        "random-uuid" => writeln!(out, "{}", kafka_uuid::encode(kafka_uuid::random()))?,
        "version-mapping" => writeln!(out, "metadata.version={METADATA_VERSION} ({RELEASE})")?,
        "info" | "format" if options.as_ref().is_ok_and(|given| given.has("help")) => {
            writeln!(out, "{USAGE}")?;
        }
        "info" => return info(&options?, out),
        "format" => return format(&options?, out),
        other => {
            return Err(wrong(&format!(
                "invalid choice: '{other}' (choose from 'info', 'format', 'version-mapping', 'random-uuid')"
            )));
        }
    }
    Ok(())
}

fn wrong(what: &str) -> CommandError {
    CommandError::failed(format!("{USAGE}\nkafka-storage: error: {what}"))
}

/// argparse's short names.
fn long_names(args: &[String]) -> Vec<String> {
    const SHORT: &[(&str, &str)] = &[
        ("-c", "--config"),
        ("-t", "--cluster-id"),
        ("-g", "--ignore-formatted"),
        ("-s", "--standalone"),
        ("-N", "--no-initial-controllers"),
        ("-I", "--initial-controllers"),
        ("-r", "--release-version"),
        ("-f", "--feature"),
        ("-S", "--add-scram"),
        ("-h", "--help"),
    ];
    let long = |arg: &String| match SHORT.iter().find(|(short, _)| short == arg) {
        Some((_, long)) => (*long).to_owned(),
        None => arg.clone(),
    };
    args.iter().map(long).collect()
}

fn config_text(options: &Options) -> Result<String, CommandError> {
    let path = options
        .value("config")
        .ok_or_else(|| wrong("argument --config/-c is required"))?;
    properties_text(Path::new(path))
}

/// Every directory that the file means, the metadata log's included.
fn directories(text: &str) -> Vec<String> {
    let mut dirs = log_dirs(text, &[]);
    dirs.extend(property(text, &[], "metadata.log.dir"));
    dirs.sort();
    dirs.dedup();
    dirs
}

fn format(options: &Options, out: &mut dyn Write) -> Result<(), CommandError> {
    let text = config_text(options)?;
    let cluster_id = options
        .value("cluster-id")
        .ok_or_else(|| wrong("argument --cluster-id/-t is required"))?;
    refuse_what_cannot_be(options, &text)?;
    let named = property(&text, &[], "node.id").or_else(|| property(&text, &[], "broker.id"));
    let node_id = match named.as_deref().map(str::trim) {
        None => 1,
        Some(id) => id.parse().map_err(|_| {
            CommandError::failed(format!("node.id is {id}, but must be a number from 0"))
        })?,
    };
    let mut fresh = Vec::new();
    for dir in directories(&text) {
        match stored(Path::new(&dir))? {
            None => fresh.push(dir),
            Some(stored) => {
                check_owner(
                    &dir,
                    &stored,
                    cluster_id,
                    node_id,
                    options.has("ignore-formatted"),
                )?;
            }
        }
    }
    if fresh.is_empty() {
        writeln!(out, "All of the log directories are already formatted.")?;
        return Ok(());
    }
    for dir in fresh {
        writeln!(
            out,
            "Formatting metadata directory {dir} with metadata.version {RELEASE}."
        )?;
        let owner = MetaProperties {
            cluster_id: cluster_id.to_owned(),
            ..MetaProperties::new_cluster(node_id)
        };
        write_owner(Path::new(&dir), &owner)
            .map_err(|error| CommandError::failed(format!("cannot format {dir}: {error}")))?;
    }
    Ok(())
}

/// What a single node that is its own controller cannot be, and what Kafka refuses as well.
fn refuse_what_cannot_be(options: &Options, text: &str) -> Result<(), CommandError> {
    let refuse = |what: &str| Err(CommandError::failed(what));
    if options.has("add-scram") {
        return refuse("--add-scram: this broker has no SCRAM; it was not added");
    }
    if options.has("initial-controllers") || options.has("no-initial-controllers") {
        return refuse(
            "this node is the only controller of its cluster: use --standalone in place of other controllers",
        );
    }
    let is_controller =
        property(text, &[], "process.roles").is_some_and(|r| r.contains("controller"));
    let has_voters = property(text, &[], "controller.quorum.voters").is_some();
    if is_controller && !has_voters && !options.has("standalone") {
        return refuse(
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: \
             --standalone, --initial-controllers, or --no-initial-controllers.",
        );
    }
    if has_voters && options.has("standalone") {
        return refuse(
            "You cannot specify --standalone and controller.quorum.voters at the same time.",
        );
    }
    if let Some(release) = options.value("release-version")
        && !RELEASE.starts_with(release)
    {
        return Err(CommandError::failed(format!(
            "Unknown metadata.version '{release}'. Supported metadata.version are: {RELEASE}"
        )));
    }
    for feature in options.values("feature") {
        if feature.replace(' ', "") != format!("metadata.version={METADATA_VERSION}") {
            let name = feature.split('=').next().unwrap_or(feature);
            return Err(CommandError::failed(format!(
                "Unsupported feature: {name}. Supported features are: metadata.version={METADATA_VERSION}"
            )));
        }
    }
    Ok(())
}

fn stored(dir: &Path) -> Result<Option<StoredMetaProperties>, CommandError> {
    let path = dir.join(META_PROPERTIES);
    let cannot = |why: &dyn std::fmt::Display| {
        CommandError::failed(format!("Error loading {}: {why}", path.display()))
    };
    match fs::read_to_string(&path) {
        Ok(text) => StoredMetaProperties::parse(&text)
            .map(Some)
            .map_err(|error| cannot(&error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(&error)),
    }
}

fn check_owner(
    dir: &str,
    stored: &StoredMetaProperties,
    cluster_id: &str,
    node_id: i32,
    ignore: bool,
) -> Result<(), CommandError> {
    let refuse = |what: String| Err(CommandError::failed(what));
    let path = Path::new(dir).join(META_PROPERTIES);
    let path = path.display();
    if !ignore {
        return refuse(format!(
            "Log directory {dir} is already formatted. Use --ignore-formatted to ignore this directory and format the others."
        ));
    }
    match (&stored.cluster_id, stored.node_id) {
        (Some(read), _) if read != cluster_id => refuse(format!(
            "Invalid cluster.id in: {path}. Expected {cluster_id}, but read {read}"
        )),
        (_, Some(read)) if read != node_id => refuse(format!(
            "Stored node id {read} doesn't match previous node id {node_id} in: {path}"
        )),
        _ => Ok(()),
    }
}

/// Old or new, never half: a temporary file, synced, renamed; then the directory is synced.
fn write_owner(dir: &Path, owner: &MetaProperties) -> io::Result<()> {
    let text = owner.to_text();
    let wrong = |what: String| io::Error::new(ErrorKind::InvalidInput, what);
    let read = StoredMetaProperties::parse(&text).map_err(|error| wrong(error.to_string()))?;
    if read.cluster_id.as_deref() != Some(&owner.cluster_id) {
        return Err(wrong(format!(
            "{} cannot be a cluster id",
            owner.cluster_id
        )));
    }
    fs::create_dir_all(dir)?;
    let path = dir.join(META_PROPERTIES);
    let temporary = dir.join("meta.properties.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    File::open(dir)?.sync_all()
}

fn info(options: &Options, out: &mut dyn Write) -> Result<(), CommandError> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut first: Option<StoredMetaProperties> = None;
    for dir in directories(&config_text(options)?) {
        let path = Path::new(&dir);
        if !path.is_dir() {
            let what = if path.exists() {
                "is not a directory"
            } else {
                "does not exist"
            };
            problems.push(format!("{dir} {what}"));
            continue;
        }
        found.push(dir.clone());
        match (stored(path), &first) {
            (Err(error), _) => problems.push(error.to_string()),
            (Ok(None), _) => problems.push(format!("{dir} is not formatted.")),
            (Ok(Some(it)), None) => first = Some(it),
            (Ok(Some(it)), Some(before)) if it.cluster_id != before.cluster_id => {
                problems.push("Mismatched cluster IDs between storage directories.".to_owned());
            }
            (Ok(Some(it)), Some(before)) if it.node_id != before.node_id => {
                problems.push("Mismatched node IDs between storage directories.".to_owned());
            }
            (Ok(Some(_)), Some(_)) => {}
        }
    }
    print_list(
        out,
        "Found log directory:",
        "Found log directories:",
        &found,
    )?;
    if let Some(stored) = first {
        writeln!(out, "Found metadata: {{{}}}\n", pairs(&stored))?;
    }
    print_list(out, "Found problem:", "Found problems:", &problems)?;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(CommandError::Reported),
    }
}

fn print_list(out: &mut dyn Write, one: &str, several: &str, list: &[String]) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", if list.len() == 1 { one } else { several })?;
    for line in list {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)
}

/// As Java prints a sorted map.
fn pairs(stored: &StoredMetaProperties) -> String {
    let node_key = if stored.version == 0 {
        "broker.id"
    } else {
        "node.id"
    };
    let mut sorted = BTreeMap::from([("version", stored.version.to_string())]);
    sorted.extend(stored.cluster_id.clone().map(|id| ("cluster.id", id)));
    sorted.extend(stored.node_id.map(|id| (node_key, id.to_string())));
    sorted.extend(
        stored
            .directory_id
            .map(|id| ("directory.id", kafka_uuid::encode(id))),
    );
    let pairs: Vec<String> = sorted.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(", ")
}

#[cfg(test)]
mod tests;
