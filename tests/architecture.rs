//! The arrows of the house: which room may name which.
//!
//! Setup: every path in every file below `src/`, test code left out. Expectation: a room names only the rooms below it, and
//! leaves only leaves. Breaking a rule on purpose means changing the tables here, where everybody sees it.

#[path = "architecture/source.rs"]
mod source;

use source::{NamedPath, Source, sources};
use std::path::Path;

/// The rooms, top-down, and what each may name of this crate. A path below another's inside is allowed by naming its beginning:
/// `wire::records` allows `wire::records::crc` and nothing else of `wire`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("main", &["check", "cli", "server", "config"]),
    // What a start makes of a data directory, without starting: the parsers of a log and of the metadata, never a core.
    (
        "check",
        &[
            "server::data_dir",
            "shard::take_batch",
            "log",
            "io::durable_write",
            "metadata",
            "config::topic",
            "wire::records",
            "types",
        ],
    ),
    // Of the metadata only the owner's file of a data directory: `kafka-storage` writes it where no broker runs. Of `io` what
    // tells of the host (`tune`), and how its files are replaced.
    (
        "cli",
        &[
            "client",
            "config",
            "io::cpu_quota",
            "io::durable_write",
            "io::ring_check",
            "metadata::meta_properties",
            "metrics",
            "wire",
            "types",
            "limits",
        ],
    ),
    (
        "server",
        &[
            "admin", "net", "api", "shard", "log", "io", "metadata", "metrics", "config", "wire",
            "limits", "types",
        ],
    ),
    // What is asked over HTTP: counts and states, never a record, a setting or a core.
    (
        "admin",
        &[
            "io::background",
            "metrics",
            "wire::ApiKey",
            "limits",
            "types",
        ],
    ),
    // Frames and correlation: no topic, no partition, no property.
    (
        "net",
        &[
            "api", "shard", "log", "io", "metrics", "wire", "limits", "types",
        ],
    ),
    // Messages and Kafka's rules for them: no file, no socket.
    (
        "api",
        &[
            "shard",
            "coordinator",
            "log",
            "metadata",
            "metrics",
            "config",
            "wire",
            "limits",
            "types",
        ],
    ),
    // Topics and partitions: of the wire only what logs hold.
    (
        "shard",
        &[
            "coordinator",
            "log",
            "io",
            "metadata",
            "metrics",
            "config",
            "wire::records",
            "wire::metadata_records",
            "wire::WireError",
            "limits",
            "types",
        ],
    ),
    // Pure state machines: no runtime, no file, no API key, no error code; of the wire only the records that last.
    (
        "coordinator",
        &[
            "wire::group_records",
            "wire::transaction_records",
            "wire::Text",
            "wire::WireError",
            "limits",
            "types",
        ],
    ),
    // Record batches: no API key, no error code, no table of properties.
    (
        "log",
        &["io", "metrics", "wire::records", "limits", "types"],
    ),
    ("io", &["types", "limits"]),
    // A client like any other, which could be a package of its own.
    ("client", &["wire", "types", "limits"]),
    (
        "metadata",
        &[
            "config",
            "wire::metadata_records",
            "wire::control_records",
            "wire::security_records",
            "wire::WireError",
            "wire::Text",
            "limits",
            "types",
        ],
    ),
    ("config", &["wire::records", "limits", "types"]),
    ("wire", &["limits", "types"]),
    ("metrics", &[]),
    ("limits", &[]),
    ("types", &[]),
];

/// What comes from outside and belongs in few rooms: the beginning of a path, where it may stand (a room or a file), and why.
const OUTSIDE: &[(&str, &[&str], &str)] = &[
    (
        "glommio",
        &["server", "net", "api", "shard", "log", "io"],
        "leaves, commands and the client know no runtime",
    ),
    (
        "glommio::channels::channel_mesh",
        &["shard"],
        "only `shard` touches the mesh",
    ),
    (
        "glommio::io",
        &["io"],
        "files of the runtime are opened in `io` only",
    ),
    (
        "std::fs",
        &[
            "io",
            "log",
            "server",
            "check",
            "cli",
            "admin",
            "src/config/load.rs",
        ],
        "messages, sockets and leaves know no files",
    ),
    (
        "std::net::TcpListener",
        &["net", "server", "io", "admin"],
        "ports are opened by `net` when `server` says so",
    ),
    (
        "std::net::TcpStream",
        &["client", "net", "io", "admin"],
        "connections belong to `net`, and to the client",
    ),
    (
        "clap",
        &["main", "cli"],
        "the command line is taken apart in `cli`",
    ),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["io", "src/wire/records/crc.rs"];

fn package() -> Vec<Source> {
    let found = sources(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(
        found.len() > 100,
        "only {} source files were found",
        found.len()
    );
    found
}

/// Fails with every sentence at once.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn begins_with(path: &NamedPath, beginning: &str) -> bool {
    let wanted: Vec<&str> = beginning.split("::").collect();
    path.segments.len() >= wanted.len() && path.segments.iter().zip(wanted).all(|(a, b)| a == b)
}

fn allowed_at(source: &Source, places: &[&str]) -> bool {
    places
        .iter()
        .any(|place| *place == source.room() || *place == source.path)
}

fn broken_arrows(source: &Source) -> Vec<String> {
    let room = source.room();
    if room == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == room) else {
        return vec![format!(
            "{}: `{room}` is a room without a row in tests/architecture.rs",
            source.path
        )];
    };
    let rooms = |name: &str| MAY_NAME.iter().any(|(room, _)| *room == name);
    source
        .paths()
        .iter()
        .filter(|path| path.ours && path.segments.first().is_some_and(|first| rooms(first)))
        .filter(|path| path.segments[0] != room)
        .filter(|path| !allowed.iter().any(|beginning| begins_with(path, beginning)))
        .map(|path| {
            format!(
                "{}:{}: `{room}` names `{}`, but may name only: {}",
                source.path,
                path.line,
                path.segments.join("::"),
                allowed.join(", ")
            )
        })
        .collect()
}

fn strangers(source: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    for (beginning, places, why) in OUTSIDE {
        if allowed_at(source, places) {
            continue;
        }
        for path in source.paths() {
            if !path.ours && begins_with(&path, beginning) {
                broken.push(format!(
                    "{}:{}: `{}` stands outside of {}: {why}",
                    source.path,
                    path.line,
                    path.segments.join("::"),
                    places.join(", ")
                ));
            }
        }
    }
    broken
}

#[test]
fn a_room_names_only_the_rooms_below_it() {
    assert_none(&package().iter().flat_map(broken_arrows).collect::<Vec<_>>());
}

#[test]
fn runtime_files_and_sockets_stay_in_the_rooms_that_are_for_them() {
    assert_none(&package().iter().flat_map(strangers).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_stays_at_the_border_to_the_kernel() {
    let mut broken = Vec::new();
    for source in package() {
        if !allowed_at(&source, UNSAFE) {
            for line in source.lines_of("unsafe") {
                broken.push(format!(
                    "{}:{line}: `unsafe` stands outside of {}",
                    source.path,
                    UNSAFE.join(" and ")
                ));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent = |source: &Source| {
        (!source.first_line.starts_with("//! "))
            .then(|| format!("{}:1: the file does not open with `//!`", source.path))
    };
    assert_none(&package().iter().filter_map(silent).collect::<Vec<_>>());
}

/// The rules are only worth as much as the reading of the files: a made-up file that breaks them is caught.
#[test]
fn an_upward_path_is_found_in_every_spelling_and_reported_with_file_and_line() {
    for (line, code) in [
        (1, "use crate::api::Context;"),
        (2, "\nuse crate::{io::Disk, api};"),
        (1, "use super::super::api::Context;"),
        (2, "fn f() {\n    crate::api::handle();\n}"),
        (2, "use crate::{\n    net as door,\n    io,\n};"),
        (1, "use crate::wire::{records::crc, ErrorCode};"),
    ] {
        let broken = broken_arrows(&Source::parse("src/log/read/made_up.rs", code));
        let expected = if code.contains("super") { 0 } else { 1 };
        // Two levels up from `log::read::made_up` is still `log`.
        assert_eq!(broken.len(), expected, "{code}: {broken:?}");
        if expected == 1 {
            let place = format!("src/log/read/made_up.rs:{line}: `log` names ");
            assert!(broken[0].starts_with(&place), "{code}: {broken:?}");
        }
    }
    let up = "use super::super::api::Context;";
    assert_eq!(
        broken_arrows(&Source::parse("src/log/made_up.rs", up)).len(),
        1
    );
    let mesh = "use glommio::channels::{channel_mesh::Senders, local_channel};";
    assert_eq!(
        strangers(&Source::parse("src/net/made_up.rs", mesh)).len(),
        1
    );
}

#[test]
fn tests_comments_and_texts_name_what_they_like() {
    let code = r##"
        //! See crate::api.
        /* crate::net */
        const TEXT: &str = "crate::api \" crate::net";
        const RAW: &str = r#"crate::api "#;
        const QUOTE: char = '"';
        fn borrowed<'a>(text: &'a str) -> &'a str { text }
        #[cfg(test)]
        mod tests {
            use crate::api::Context;
            fn f() { let _ = [crate::net::x; 2]; }
        }
        #[cfg(test)]
        use crate::server;
        use crate::io::Disk;
    "##;
    let source = Source::parse("src/log/made_up.rs", code);
    assert_eq!(broken_arrows(&source), Vec::<String>::new());
    let ours: Vec<_> = source
        .paths()
        .into_iter()
        .filter(|path| path.ours)
        .collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(
        (ours[0].segments.join("::"), ours[0].line),
        ("io::Disk".to_owned(), 15)
    );
}
