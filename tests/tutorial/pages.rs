//! Types what `docs/tutorial.md` shows, in a folder as the page makes it, and compares what comes out with what the page says.
//!
//! The words after a block's language say what is to be done with it: `sh` is typed, `sh first terminal` is left running, `sh by hand` is
//! what the test has done already; with a file's name the block becomes that file. A `text` block is what the block before it
//! prints, where `…` stands for anything on a line, and a line of its own for any lines.

use std::fs;

use crate::commands::Folder;
use crate::harness::{package_dir, toolchain};

const ENGLISH: &str = "docs/tutorial.md";
const CHINESE: &str = "docs/tutorial.zh.md";

/// A block of code: what stands behind the fence, and its lines.
#[derive(PartialEq, Eq, Debug)]
struct Block {
    info: String,
    content: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(package_dir().join(page)).expect(page);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let within = lines.by_ref().take_while(|line| *line != "```");
            let content = within.flat_map(|line| [line, "\n"]).collect();
            let info = info.to_owned();
            blocks.push(Block { info, content });
        }
    }
    blocks
}

/// Whether `line` is what `pattern` says, `…` standing for anything.
fn is_like(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let (first, rest) = parts.split_first().expect("split gives one part at least");
    let Some(mut left) = line.strip_prefix(first) else {
        return false;
    };
    let Some((last, between)) = rest.split_last() else {
        return left.is_empty();
    };
    for part in between {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

fn lines_are_like(patterns: &[&str], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skip| lines_are_like(rest, &lines[skip..])),
        Some((pattern, rest)) => lines
            .split_first()
            .is_some_and(|(line, left)| is_like(pattern, line) && lines_are_like(rest, left)),
    }
}

fn assert_says(block: &str, expected: &str, said: &str) {
    let patterns: Vec<&str> = expected.lines().collect();
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines_are_like(&patterns, &lines),
        "{block}\nsaid:\n{said}\nand the page says:\n{expected}"
    );
}

#[test]
fn the_page_shows_what_happens() {
    let Some(python) = toolchain::python() else {
        return;
    };
    let mut folder = Folder::new();
    folder.finds_python_at(python);
    let mut last = (String::new(), String::new());
    let mut compared = 0;
    for Block { info, content } in blocks(ENGLISH) {
        let (language, rest) = info.split_once(' ').unwrap_or((&info, ""));
        match (language, rest) {
            (_, "by hand") => {}
            ("sh", "") => last = (content.clone(), folder.types(&content)),
            ("sh", "first terminal") => {
                last = (
                    content.clone(),
                    folder.starts_the_server(content.trim_end(), &[]),
                );
            }
            ("text", "") => {
                let expected = folder.on_its_port(&content);
                assert_says(&last.0, &expected, &last.1);
                compared += 1;
            }
            ("python" | "properties", name) if !name.is_empty() => {
                fs::write(folder.file(name), folder.on_its_port(&content)).expect("a file");
            }
            _ => panic!("{ENGLISH}: nobody knows what ```{info} means"),
        }
    }
    assert!(compared >= 12, "only {compared} outputs stand in the page");
}

#[test]
fn both_pages_show_the_same_code() {
    assert_eq!(blocks(ENGLISH), blocks(CHINESE));
}

#[test]
fn what_differs_is_told_from_what_must_not() {
    assert!(is_like("a … c", "a b c") && is_like("…", "") && is_like("x…", "xyz"));
    assert!(!is_like("a … c", "a b d") && !is_like("x", "xy") && !is_like("…z", "xy"));
    assert!(lines_are_like(&["…", "b", "…"], &["a", "b"]));
    assert!(!lines_are_like(&["a"], &["a", "b"]) && !lines_are_like(&["a", "b"], &["a"]));
}
