//! `kafka-server-start [-daemon] server.properties [--override property=value]*`: this program's `serve`, with Kafka's defaults.
//!
//! In the foreground the broker takes this process over. With `-daemon` it runs in a process group of its own, nothing on
//! its standard input, its log in `$LOG_DIR/kafkaServer.out`; without `LOG_DIR` that is `logs` beside the folder of the link
//! that was called, as with Kafka's script.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use super::CommandError;
use crate::cli::serve_args::parse_key_value;
use crate::config::load::read_bounded;
use crate::config::reader::read_properties;

/// Kafka's `log.dirs` where nothing says otherwise.
const LOG_DIRS_DEFAULT: &str = "/tmp/kafka-logs";
/// How long a broker in the background is watched for an early end.
const WATCHED: Duration = Duration::from_millis(500);

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    daemon: bool,
    properties: PathBuf,
    overrides: Vec<(String, String)>,
}

/// Starts a broker; returns only from `-daemon` or when it cannot be started.
///
/// # Errors
/// When the command line is wrong, the file cannot be read, or the broker cannot be started.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), CommandError> {
    let start = parse(args)?;
    let text = properties_text(&start.properties)?;
    let dirs = log_dirs(&text, &start.overrides);
    for dir in &dirs {
        if !Path::new(dir).join("meta.properties").exists() {
            writeln!(
                out,
                "{dir} is not formatted yet: the broker formats it now, with a new cluster id. \
                 To choose the id, run kafka-storage format first."
            )?;
        }
    }
    out.flush()?;
    let mut command = serve_command(&start, &text)?;
    if start.daemon {
        return in_background(&mut command, out);
    }
    Err(CommandError::failed(format!(
        "cannot start the broker: {}",
        command.exec()
    )))
}

fn parse(args: &[String]) -> Result<Start, CommandError> {
    let usage = || {
        CommandError::usage(
            "USAGE: kafka-server-start [-daemon] server.properties [--override property=value]*",
        )
    };
    let mut args = args.iter().peekable();
    let daemon = args
        .next_if(|arg| *arg == "-daemon" || *arg == "--daemon")
        .is_some();
    let properties = args
        .next()
        .filter(|file| !file.starts_with("--"))
        .ok_or_else(usage)?;
    let mut overrides = Vec::new();
    while let Some(arg) = args.next() {
        let pair = match arg.strip_prefix("--override") {
            Some("") => args.next().cloned().ok_or_else(usage)?,
            Some(joined) => joined.strip_prefix('=').ok_or_else(usage)?.to_owned(),
            None => {
                return Err(CommandError::usage(format!(
                    "Found non argument parameters: {arg}"
                )));
            }
        };
        overrides.push(parse_key_value(&pair).map_err(CommandError::Usage)?);
    }
    Ok(Start {
        daemon,
        properties: properties.into(),
        overrides,
    })
}

/// The text of a properties file, of a bounded size.
///
/// # Errors
/// A sentence that names the file.
pub fn properties_text(path: &Path) -> Result<String, CommandError> {
    read_bounded(path).map_err(|error| CommandError::failed(error.to_string()))
}

/// The value a file and the overrides give a property; an override wins, and in a file the last line.
pub fn property(text: &str, overrides: &[(String, String)], name: &str) -> Option<String> {
    let overridden = overrides.iter().rev().find(|(key, _)| key == name);
    if let Some((_, value)) = overridden {
        return Some(value.clone());
    }
    let entries = read_properties(text).ok()?;
    let entry = entries.into_iter().rev().find(|entry| entry.key == name)?;
    Some(entry.value).filter(|value| !value.is_empty())
}

/// The data directories that a file and overrides mean, by Kafka's rules.
pub fn log_dirs(text: &str, overrides: &[(String, String)]) -> Vec<String> {
    let named = property(text, overrides, "log.dirs")
        .or_else(|| property(text, overrides, "log.dir"))
        .unwrap_or_else(|| LOG_DIRS_DEFAULT.to_owned());
    named
        .split(',')
        .map(|dir| dir.trim().to_owned())
        .filter(|dir| !dir.is_empty())
        .collect()
}

fn serve_command(start: &Start, text: &str) -> Result<Command, CommandError> {
    let program = env::current_exe()
        .map_err(|error| CommandError::failed(format!("cannot find this program: {error}")))?;
    let mut command = Command::new(program);
    command.arg("serve").arg(&start.properties);
    for (key, value) in &start.overrides {
        command.arg("--override").arg(format!("{key}={value}"));
    }
    let named = |name| property(text, &start.overrides, name).is_some();
    if !named("log.dirs") && !named("log.dir") {
        command
            .arg("--override")
            .arg(format!("log.dirs={LOG_DIRS_DEFAULT}"));
    }
    Ok(command)
}

fn in_background(command: &mut Command, out: &mut dyn Write) -> Result<(), CommandError> {
    let path = console_file();
    let cannot = |what: &str, error: std::io::Error| {
        CommandError::failed(format!("cannot {what} {}: {error}", path.display()))
    };
    if let Some(dir) = path.parent() {
        match fs::create_dir_all(dir) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(cannot("make the folder of", error));
            }
            _ => {}
        }
    }
    let log = File::create(&path).map_err(|error| cannot("write", error))?;
    let errors = log.try_clone().map_err(|error| cannot("write", error))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| CommandError::failed(format!("cannot start the broker: {error}")))?;
    thread::sleep(WATCHED);
    match child.try_wait() {
        Ok(Some(status)) => Err(CommandError::failed(format!(
            "the broker ended at once ({status}): {} says why",
            path.display()
        ))),
        _ => {
            writeln!(
                out,
                "broker started, process {}; its log: {}",
                child.id(),
                path.display()
            )?;
            Ok(())
        }
    }
}

/// `kafkaServer.out` in `$LOG_DIR`, else in `logs` beside the folder of the link; never inside a folder of the system.
fn console_file() -> PathBuf {
    let beside_link = || {
        let called = PathBuf::from(env::args_os().next()?);
        let bin = called.parent()?;
        let is_link_folder =
            called.file_name()?.to_str()?.starts_with("kafka-") && bin.ends_with("bin");
        let base = bin
            .parent()
            .filter(|base| *base != Path::new("/usr") && *base != Path::new("/usr/local"))?;
        (is_link_folder && !base.as_os_str().is_empty()).then(|| base.join("logs"))
    };
    let dir = env::var_os("LOG_DIR")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .or_else(beside_link)
        .unwrap_or_else(|| PathBuf::from("logs"));
    dir.join("kafkaServer.out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Start, String> {
        let args: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
        parse(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_may_be_followed_by_overrides() {
        let start = parsed("-daemon a/server.properties --override a=b --override=c=d=e").unwrap();
        assert!(start.daemon);
        assert_eq!(start.properties, Path::new("a/server.properties"));
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(start.overrides, [pair("a", "b"), pair("c", "d=e")]);
        assert!(!parsed("f").unwrap().daemon);
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "-daemon",
            "--override a=b",
            "f --override",
            "f --overriden=x",
        ] {
            assert!(parsed(line).unwrap_err().starts_with("USAGE:"), "{line}");
        }
        assert!(
            parsed("f g")
                .unwrap_err()
                .contains("non argument parameters: g")
        );
        assert!(parsed("f --override x").unwrap_err().contains('='));
    }

    #[test]
    fn the_data_directories_are_kafkas_unless_named() {
        assert_eq!(log_dirs("", &[]), ["/tmp/kafka-logs"]);
        assert_eq!(log_dirs("log.dir=/a", &[]), ["/a"]);
        assert_eq!(log_dirs("log.dir=/a\nlog.dirs=/b, /c", &[]), ["/b", "/c"]);
        let overrides = [("log.dirs".to_owned(), "/d".to_owned())];
        assert_eq!(log_dirs("log.dirs=/b", &overrides), ["/d"]);
    }
}
