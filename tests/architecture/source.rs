//! Rust source as far as the arrows need it: which paths of this crate and of others a file names, outside of its tests.
//!
//! Not a parser: comments and literals are taken out, test items are skipped, and paths are followed through the braces of
//! `use` trees. Macro bodies count like any other code, `$crate` like `crate`.

use std::fs;
use std::path::{Path, PathBuf};

/// A path as it is written, resolved to the root of its crate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedPath {
    /// `["log", "ReadPlan"]` for `crate::log::ReadPlan`, or for `super::super::log::ReadPlan` two rooms down.
    pub segments: Vec<String>,
    /// Starts at the root of this crate; otherwise at another crate or at a name of the file's own.
    pub ours: bool,
    /// Where it stands.
    pub line: usize,
}

/// What one file says, test items left out.
pub struct Source {
    /// Relative to the package, such as `src/log/read.rs`.
    pub path: String,
    /// The first line as it is.
    pub first_line: String,
    tokens: Vec<Token>,
    /// Modules that it declares for tests only, such as `["log", "tests"]`.
    tests: Vec<Vec<String>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Source {
    /// Reads a text as the file at `path`.
    pub fn parse(path: &str, text: &str) -> Source {
        let all = tokens(&blanked(text));
        let mut source = Source {
            path: path.to_owned(),
            first_line: text.lines().next().unwrap_or_default().to_owned(),
            tokens: without_test_items(&all),
            tests: Vec::new(),
        };
        let module = source.module();
        source.tests = test_modules(&all)
            .into_iter()
            .map(|name| [&module[..], &[name]].concat())
            .collect();
        source
    }

    /// The room: the folder or file below `src/`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or(inside)
    }

    /// The lines on which a word stands as a token of its own.
    pub fn lines_of(&self, word: &str) -> Vec<usize> {
        let tokens = self.tokens.iter().filter(|token| token.text == word);
        tokens.map(|token| token.line).collect()
    }

    /// Every path with two segments or more.
    pub fn paths(&self) -> Vec<NamedPath> {
        let module = self.module();
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let starts = is_name(&self.tokens[at].text) && self.text(at + 1) == "::";
            if !starts {
                at += 1;
                continue;
            }
            at = self.tree(at, &mut Vec::new(), &mut |segments, line| {
                found.push(resolved(segments, &module, line));
            });
        }
        found
    }

    /// Follows a path, through braces if it has them; returns where it ends.
    fn tree(
        &self,
        mut at: usize,
        prefix: &mut Vec<String>,
        found: &mut impl FnMut(&[String], usize),
    ) -> usize {
        let (depth, line) = (prefix.len(), self.line(at));
        while is_name(self.text(at)) {
            prefix.push(self.text(at).to_owned());
            at += 1;
            if self.text(at) != "::" {
                break;
            }
            at += 1;
            if self.text(at) == "{" {
                at = self.branches(at + 1, prefix, found);
                prefix.truncate(depth);
                return at;
            }
        }
        found(prefix, line);
        prefix.truncate(depth);
        at
    }

    /// The comma-separated trees between braces; returns what follows the closing one.
    fn branches(
        &self,
        mut at: usize,
        prefix: &mut Vec<String>,
        found: &mut impl FnMut(&[String], usize),
    ) -> usize {
        while at < self.tokens.len() && self.text(at) != "}" {
            if is_name(self.text(at)) {
                at = self.tree(at, prefix, found);
                if self.text(at) == "as" {
                    at += 2;
                }
            } else {
                at += 1;
            }
        }
        at + 1
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, |token| token.line)
    }

    /// The file's module, `["log", "read"]` for `src/log/read.rs`.
    fn module(&self) -> Vec<String> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inside = inside.strip_suffix(".rs").unwrap_or(inside);
        let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if matches!(
            module.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            module.pop();
        }
        module
    }
}

/// Every source file below `src/` of the package in `root`, without the modules that are compiled for tests only.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("a source file");
            Source::parse(&relative(path, root), &text)
        })
        .collect();
    let tests: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| source.tests.clone())
        .collect();
    let of_tests = |source: &Source| {
        // A folder `tests` holds nothing else, however its files are declared.
        source.path.contains("/tests/")
            || tests.iter().any(|test| source.module().starts_with(test))
    };
    sources
        .into_iter()
        .filter(|source| !of_tests(source))
        .collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the folder of the sources") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn relative(path: &Path, root: &Path) -> String {
    let inside = path.strip_prefix(root).expect("a path below the root");
    inside.to_string_lossy().into_owned()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_' || first == '*')
}

/// `crate`, `vltava` (the binary's name for its library), `self` and `super` lead to the root of this crate.
fn resolved(segments: &[String], module: &[String], line: usize) -> NamedPath {
    let supers = segments
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let (base, rest): (&[String], &[String]) = match segments[0].as_str() {
        "crate" | "vltava" => (&[], &segments[1..]),
        "self" => (module, &segments[1..]),
        "super" => (
            &module[..module.len().saturating_sub(supers)],
            &segments[supers..],
        ),
        _ => {
            let segments = segments.to_vec();
            return NamedPath {
                segments,
                ours: false,
                line,
            };
        }
    };
    NamedPath {
        segments: [base, rest].concat(),
        ours: true,
        line,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, content) in text.lines().enumerate() {
        let mut rest = content;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                rest.find(|c| !word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push(Token {
                    text: rest[..length].to_owned(),
                    line: number + 1,
                });
            }
            rest = &rest[length..];
        }
    }
    tokens
}

/// The text with its comments and the insides of its literals turned to blanks; lines stay lines.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = literal_or_comment(rest);
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let gone = &rest[..length];
        out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

/// The length of the comment, string or character that `rest` begins with; 0 if it begins with none.
fn literal_or_comment(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if let Some(raw) = rest.strip_prefix('r')
        && raw.trim_start_matches('#').starts_with('"')
    {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = 1 + hashes + 1;
        return rest[inside..]
            .find(&end)
            .map_or(rest.len(), |at| inside + at + end.len());
    }
    if rest.starts_with('"') {
        return closing(rest, '"').unwrap_or(rest.len());
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    0
}

/// Where the literal that starts with `quote` ends, escapes respected.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let inside: Vec<char> = rest.chars().skip(1).take(2).collect();
    match inside[..] {
        ['\\', _] => closing(rest, '\'').unwrap_or(0),
        [c, '\''] => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// What stands before an item that is compiled for tests only.
const GATE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

fn is_gate(tokens: &[Token]) -> bool {
    let texts = tokens.iter().map(|token| token.text.as_str());
    texts.take(GATE.len()).eq(GATE)
}

/// Leaves out every item behind `#[cfg(test)]`, up to its closing brace or semicolon.
fn without_test_items(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_gate(&tokens[at..]) {
            at = end_of_item(tokens, at + GATE.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The names of modules behind `#[cfg(test)]`, whether they have a file of their own or not.
fn test_modules(tokens: &[Token]) -> Vec<String> {
    let gates = (0..tokens.len()).filter(|&at| is_gate(&tokens[at..]));
    let item = |at: usize| &tokens[at + GATE.len()..end_of_item(tokens, at + GATE.len())];
    gates
        .filter_map(|at| {
            let named = |pair: &&[Token]| pair[0].text == "mod";
            let pair = item(at).windows(2).take(5).find(named)?;
            Some(pair[1].text.clone())
        })
        .collect()
}

fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth <= 1 => return at + 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}
