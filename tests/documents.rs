//! The documents say what is so, as far as a machine can tell.
//!
//! Setup: the pages of this repository as text. Expectation: the table of the README is the table the broker works with, and
//! every file that a page names is there.

use std::fs;
use std::path::{Path, PathBuf};
use vltava::wire::api::TABLE;

const PAGES: [&str; 8] = [
    "README.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    DURABILITY,
    "docs/migration.md",
    "docs/tutorial.md",
    "docs/tutorial.zh.md",
    "tuning/README.md",
];

const DURABILITY: &str = "docs/durability.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect(name)
}

/// `Produce 0 3–13` for each row `| Produce | 0 | 3–13 | ... |`.
fn rows_of_the_readme() -> Vec<String> {
    page("README.md")
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() > 4 && cells[2].parse::<i16>().is_ok())
        .map(|cells| cells[1..4].join(" "))
        .collect()
}

#[test]
fn the_readme_lists_exactly_the_versions_that_are_served() {
    let served: Vec<_> = TABLE
        .iter()
        .map(|row| {
            let (key, served) = (row.key, &row.served);
            format!("{key} {} {}–{}", key as i16, served.start(), served.end())
        })
        .collect();
    assert_eq!(rows_of_the_readme(), served);
}

/// What stands between backticks and looks like a file of the sources, and where links lead.
fn named_files(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let sources = quoted.filter(|word| word.contains('/') && word.ends_with(".rs"));
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
    sources.chain(files).map(str::to_owned).collect()
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let mut missing = Vec::new();
    let mut found = 0;
    for name in PAGES {
        let here = root().join(name);
        let here = here.parent().expect("a page lies in a folder");
        for file in named_files(&page(name)) {
            let places: [PathBuf; 3] = [
                here.join(&file),
                root().join(&file),
                root().join("src").join(&file),
            ];
            if places.iter().any(|place| place.exists()) {
                found += 1;
            } else {
                missing.push(format!("{name} names {file}, which is not there"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
    assert!(found > 30, "only {found} names were found in the pages");
}

/// The points of a list, each with the lines that go on with it.
fn points(text: &str) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for line in text.lines() {
        match points.last_mut() {
            _ if line.starts_with("* ") => points.push(line.to_owned()),
            Some(point) if line.starts_with("  ") => {
                point.push(' ');
                point.push_str(line.trim());
            }
            _ => {}
        }
    }
    points
}

#[test]
fn every_promise_of_durability_names_the_test_that_tries_to_break_it() {
    let mut wrong = Vec::new();
    let points = points(&page(DURABILITY));
    for point in &points {
        let quoted: Vec<_> = point.split('`').skip(1).step_by(2).collect();
        let test = quoted.iter().rev().take(2).rev().collect::<Vec<_>>();
        let is_there = match test[..] {
            [file, name] if file.ends_with(".rs") => page(file).contains(&format!("fn {name}(")),
            _ => false,
        };
        if !is_there {
            wrong.push(point);
        }
    }
    assert!(points.len() > 30, "{} points", points.len());
    assert!(wrong.is_empty(), "without a test: {wrong:#?}");
}
