//! `vltava install-links DIR`: a folder as a Kafka user knows it.
//!
//! ```text
//! DIR/bin/kafka-topics, DIR/bin/kafka-topics.sh, ...                  symbolic links to this program
//! DIR/config/{server,producer,consumer,zookeeper}.properties          small files, each line with its reason
//! ```
//!
//! What is there already stays as it is, unless `--force` is given; a second run changes nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, kafka};

/// `vltava install-links`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InstallLinksArgs {
    /// Where bin/ and config/ shall be; made if need be
    pub dir: PathBuf,
    /// Replace files and links that are there already
    #[arg(long)]
    pub force: bool,
}

const EXAMPLES: &str = "\
Examples:
  vltava install-links ~/kafka
  cd ~/kafka && bin/kafka-server-start.sh config/server.properties
  bin/kafka-topics.sh --bootstrap-server localhost:9092 --list";

const CONFIGS: [(&str, &str); 4] = [
    (
        "server.properties",
        include_str!("install_links/server.properties"),
    ),
    (
        "producer.properties",
        include_str!("install_links/producer.properties"),
    ),
    (
        "consumer.properties",
        include_str!("install_links/consumer.properties"),
    ),
    (
        "zookeeper.properties",
        include_str!("install_links/zookeeper.properties"),
    ),
];

/// Makes the links and files that are not there.
///
/// # Errors
/// When this program cannot be found, or a folder, link or file cannot be made.
pub fn run(args: &InstallLinksArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let program = std::env::current_exe().map_err(|error| {
        CliError::Failed(format!("where this program is cannot be told: {error}"))
    })?;
    let (bin, config) = (args.dir.join("bin"), args.dir.join("config"));
    for dir in [&bin, &config] {
        fs::create_dir_all(dir).map_err(|error| failed("make", dir, &error))?;
    }
    let mut made = 0;
    for name in kafka::names() {
        for link in [bin.join(name), bin.join(format!("{name}.sh"))] {
            made += usize::from(install_link(&program, &link, args.force)?);
        }
    }
    for (name, text) in CONFIGS {
        made += usize::from(install_file(&config.join(name), text, args.force)?);
    }
    match made {
        0 => writeln!(out, "{}: everything is there already", args.dir.display())?,
        _ => writeln!(
            out,
            "{}: {made} links and files made; the commands are in {}",
            args.dir.display(),
            bin.display()
        )?,
    }
    Ok(())
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!("cannot {verb} {}: {error}", path.display()))
}

fn kept(path: &Path) {
    eprintln!(
        "vltava: {} is there already and stays as it is (--force replaces it)",
        path.display()
    );
}

/// Whether the link was made.
fn install_link(program: &Path, link: &Path, force: bool) -> Result<bool, CliError> {
    match fs::read_link(link) {
        Ok(target) if target == program => return Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // Something else: another link, or a file.
        _ if !force => {
            kept(link);
            return Ok(false);
        }
        _ => fs::remove_file(link).map_err(|error| failed("replace", link, &error))?,
    }
    symlink(program, link).map_err(|error| failed("make", link, &error))?;
    Ok(true)
}

/// Whether the file was written.
fn install_file(path: &Path, text: &str, force: bool) -> Result<bool, CliError> {
    let mut how = OpenOptions::new();
    how.write(true);
    match force {
        true => how.create(true).truncate(true),
        // Decided by the system at once: no file that comes meanwhile is lost.
        false => how.create_new(true),
    };
    match how
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
    {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if fs::read(path).map_err(|error| failed("read", path, &error))? != text.as_bytes() {
                kept(path);
            }
            Ok(false)
        }
        Err(error) => Err(failed("write", path, &error)),
    }
}
