//! Options as Kafka's own commands read them (joptsimple): `--name value`, `--name=value`, an unambiguous beginning of a
//! name, the same option several times.
//!
//! Knows no command: each brings the list of what it accepts. What is not in the list is refused, nothing is passed over.

use std::fmt::Write;
use std::io;

use super::CommandError;

/// What may follow an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value, always.
    Value,
    /// A value, unless another option follows.
    MaybeValue,
    /// One value or more, up to the next option; argparse's `nargs="+"`.
    Values,
}

/// One option that a command accepts.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Without the dashes.
    pub name: &'static str,
    /// What may follow.
    pub takes: Takes,
    /// How the value is called in the help.
    pub shows: &'static str,
    /// One or two sentences.
    pub help: &'static str,
}

impl Opt {
    /// An option without a value.
    pub const fn flag(name: &'static str, help: &'static str) -> Opt {
        Opt {
            name,
            takes: Takes::Nothing,
            shows: "",
            help,
        }
    }

    /// An option with a value.
    pub const fn value(name: &'static str, shows: &'static str, help: &'static str) -> Opt {
        Opt {
            name,
            takes: Takes::Value,
            shows,
            help,
        }
    }

    /// An option that may have a value.
    pub const fn maybe(name: &'static str, shows: &'static str, help: &'static str) -> Opt {
        Opt {
            name,
            takes: Takes::MaybeValue,
            shows,
            help,
        }
    }

    /// An option with one value or more.
    pub const fn list(name: &'static str, shows: &'static str, help: &'static str) -> Opt {
        Opt {
            name,
            takes: Takes::Values,
            shows,
            help,
        }
    }
}

/// What was given.
#[derive(Clone, Default, Debug)]
pub struct Options {
    given: Vec<(&'static str, Option<String>)>,
    /// What is no option and no option's value, in order.
    pub rest: Vec<String>,
}

impl Options {
    /// Takes a command line apart.
    ///
    /// # Errors
    /// [`CommandError::Usage`] in joptsimple's words.
    pub fn parse(accepted: &[Opt], args: &[String]) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            let Some(named) = arg.strip_prefix("--").filter(|named| !named.is_empty()) else {
                options.rest.push(arg.clone());
                continue;
            };
            let (name, joined) = match named.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (named, None),
            };
            let option = find(accepted, name)?;
            let mut next =
                || args.next_if(|next| !next.starts_with("--") || option.takes == Takes::Value);
            let value = match option.takes {
                Takes::Nothing if joined.is_some() => {
                    return Err(CommandError::usage(format!(
                        "Option {name} doesn't allow an argument"
                    )));
                }
                Takes::Nothing => None,
                _ => joined.or_else(|| next().cloned()),
            };
            if value.is_none() && matches!(option.takes, Takes::Value | Takes::Values) {
                return Err(CommandError::usage(format!(
                    "Option {} requires an argument",
                    option.name
                )));
            }
            options.given.push((option.name, value));
            if option.takes == Takes::Values {
                while let Some(more) = args.next_if(|next| !next.starts_with("--")) {
                    options.given.push((option.name, Some(more.clone())));
                }
            }
        }
        Ok(options)
    }

    /// Whether the option was given, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// The last value of an option.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// Every value of an option, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.given
            .iter()
            .filter(|(given, _)| *given == name)
            .filter_map(|(_, value)| value.as_deref())
            .collect()
    }

    /// The value of an option that must be there.
    ///
    /// # Errors
    /// [`CommandError::Usage`] in the words of Kafka's `CommandLineUtils`.
    pub fn required(&self, name: &str) -> Result<&str, CommandError> {
        self.value(name)
            .ok_or_else(|| CommandError::usage(format!("Missing required argument \"[{name}]\"")))
    }

    /// A value that is a number.
    ///
    /// # Errors
    /// [`CommandError::Usage`] in joptsimple's words when it is none.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, CommandError> {
        let parse = |text: &str| {
            text.parse::<N>().map_err(|_| {
                CommandError::usage(format!("Cannot parse argument '{text}' of option {name}"))
            })
        };
        self.value(name).map(parse).transpose()
    }

    /// Refuses an option beside any of the others, in the words of Kafka's `CommandLineUtils`.
    ///
    /// # Errors
    /// [`CommandError::Usage`].
    pub fn alone(&self, name: &str, others: &[&str]) -> Result<(), CommandError> {
        let clash = others
            .iter()
            .find(|other| **other != name && self.has(name) && self.has(other));
        match clash {
            Some(other) => Err(CommandError::usage(format!(
                "Option \"[{name}]\" can't be used with option \"[{other}]\""
            ))),
            None => Ok(()),
        }
    }
}

/// The release of Kafka whose commands these are.
const KAFKA_VERSION: &str = "4.3.1";

/// Does what `--help` and `--version` ask for; whether one of them was there and there is nothing more to do.
///
/// # Errors
/// For `--help` [`CommandError::Usage`] with `about`, which has the options printed and ends with 1: Kafka's commands do so.
pub fn help_or_version(
    options: &Options,
    about: &str,
    out: &mut dyn io::Write,
) -> Result<bool, CommandError> {
    if options.has("help") {
        return Err(CommandError::usage(about));
    }
    if options.has("version") {
        writeln!(
            out,
            "{KAFKA_VERSION} (Vltava {})",
            env!("CARGO_PKG_VERSION")
        )?;
        return Ok(true);
    }
    Ok(false)
}

fn find<'a>(accepted: &'a [Opt], name: &str) -> Result<&'a Opt, CommandError> {
    if let Some(exact) = accepted.iter().find(|option| option.name == name) {
        return Ok(exact);
    }
    let mut begins = accepted
        .iter()
        .filter(|option| option.name.starts_with(name));
    match (begins.next(), begins.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(CommandError::usage(format!(
            "{name} is not a recognized option"
        ))),
    }
}

const NAME_COLUMN: usize = 40;
const HELP_COLUMN: usize = 39;

/// The options as a table in two columns, as joptsimple prints it.
pub fn help(accepted: &[Opt]) -> String {
    let mut text = format!(
        "{:<NAME_COLUMN$}{:<HELP_COLUMN$}\n{:<NAME_COLUMN$}{:<HELP_COLUMN$}\n",
        "Option", "Description", "------", "-----------"
    );
    let mut sorted: Vec<&Opt> = accepted.iter().collect();
    sorted.sort_by_key(|option| option.name);
    for option in sorted {
        let name = match option.takes {
            Takes::Nothing => format!("--{}", option.name),
            Takes::MaybeValue => format!("--{} [<{}>]", option.name, option.shows),
            Takes::Value | Takes::Values => format!("--{} <{}>", option.name, option.shows),
        };
        let names = wrap(&name, NAME_COLUMN - 2);
        let helps = wrap(option.help, HELP_COLUMN - 2);
        for line in 0..names.len().max(helps.len()) {
            let cell = |cells: &[String]| cells.get(line).cloned().unwrap_or_default();
            let _ = writeln!(text, "{:<NAME_COLUMN$}{}", cell(&names), cell(&helps));
        }
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(if lines.is_empty() {
                word.to_owned()
            } else {
                format!("  {word}")
            }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: &[Opt] = &[
        Opt::flag("list", "List."),
        Opt::value("topic", "topic", "The topic."),
        Opt::value("to-offset", "offset", "To."),
        Opt::maybe("state", "states", "States."),
        Opt::list("props", "k=v", "Properties."),
    ];

    fn parse(line: &str) -> Result<Options, String> {
        let args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        Options::parse(ACCEPTED, &args).map_err(|error| error.to_string())
    }

    #[test]
    fn values_follow_after_a_space_or_an_equals_sign() {
        let options = parse("--topic a --topic=b --state --list --to-offset -5").unwrap();
        assert_eq!(options.values("topic"), ["a", "b"]);
        assert!(options.has("state") && options.value("state").is_none());
        assert!(options.has("list"));
        assert_eq!(options.number::<i64>("to-offset").unwrap(), Some(-5));
    }

    #[test]
    fn several_values_end_at_the_next_option() {
        let options = parse("--props a=1 b=2 --list rest").unwrap();
        assert_eq!(options.values("props"), ["a=1", "b=2"]);
        assert_eq!(options.rest, ["rest"]);
    }

    #[test]
    fn a_name_may_be_cut_short_where_only_one_begins_so() {
        assert_eq!(parse("--top a").unwrap().value("topic"), Some("a"));
        assert_eq!(
            parse("--to a").unwrap_err(),
            "to is not a recognized option"
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_joptsimples_words() {
        for (line, words) in [
            ("--bogus", "bogus is not a recognized option"),
            ("--topic", "Option topic requires an argument"),
            ("--list=x", "Option list doesn't allow an argument"),
        ] {
            assert_eq!(parse(line).unwrap_err(), words);
        }
        let error = parse("--to-offset x").unwrap().number::<i64>("to-offset");
        assert_eq!(
            error.unwrap_err().to_string(),
            "Cannot parse argument 'x' of option to-offset"
        );
    }

    #[test]
    fn the_help_has_every_option_in_the_order_of_names() {
        let text = help(ACCEPTED);
        let at = |name: &str| text.find(name).expect(name);
        assert!(at("--list") < at("--props") && at("--props") < at("--topic <topic>"));
    }
}
