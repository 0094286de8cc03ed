//! A broker to measure: one that runs already, or one that a recipe starts (`bench-harness/peers/README.md`).

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vltava::client::{Connection, Timeouts};

use crate::affinity;
use crate::run::BenchError;
use crate::signals::{self, interrupted};

/// A recipe's broker answers in this time, or does not start.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// A broker that is told to stop does so in this time, or is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// How often we look whether it answers: no start is told more precisely than this.
const START_TICK: Duration = Duration::from_millis(1);
/// What is shown of a broker's log when it does not start.
const LOG_LINES: usize = 10;

/// `[NAME=]HOST:PORT[,PID]` or `[NAME=]RECIPE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSpec {
    /// What it is called in results.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a broker comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It runs.
    Address {
        /// HOST:PORT.
        address: String,
        /// Its process on this machine, if its cost is to be told.
        pid: Option<u32>,
    },
    /// This program becomes it.
    Recipe(PathBuf),
}

impl FromStr for PeerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<PeerSpec, String> {
        let (name, rest) = match text.split_once('=') {
            Some((name, rest)) => (Some(name), rest),
            None => (None, text),
        };
        let (address, pid) = match rest.split_once(',') {
            Some((address, pid)) => (address, Some(pid)),
            None => (rest, None),
        };
        let port = address.rsplit_once(':').map(|(_, port)| port);
        let is_address = port.is_some_and(|port| port.parse::<u16>().is_ok());
        let pid = pid.map(|pid| pid.parse::<u32>().map_err(|_| format!("'{pid}' is no pid")));
        let (source, otherwise) = match is_address {
            true => {
                let address = address.to_owned();
                let pid = pid.transpose()?;
                (Source::Address { address, pid }, rest.to_owned())
            }
            false if Path::new(rest).is_file() => {
                let stem = Path::new(rest).file_stem().unwrap_or_default();
                (
                    Source::Recipe(rest.into()),
                    stem.to_string_lossy().into_owned(),
                )
            }
            false => return Err(format!("'{rest}' is neither HOST:PORT nor a recipe's file")),
        };
        match name.unwrap_or(&otherwise) {
            "" => Err(format!("'{text}' has no name before '='")),
            name => Ok(PeerSpec {
                name: name.to_owned(),
                source,
            }),
        }
    }
}

/// A variable for one peer's recipe: `NAME:VARIABLE=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    peer: String,
    variable: String,
    value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Setting, String> {
        let parts = text.split_once(':').and_then(|(peer, rest)| {
            let (variable, value) = rest.split_once('=')?;
            Some((peer, variable, value))
        });
        match parts {
            Some((peer, variable, value)) if !peer.is_empty() && !variable.is_empty() => {
                Ok(Setting {
                    peer: peer.to_owned(),
                    variable: variable.to_owned(),
                    value: value.to_owned(),
                })
            }
            _ => Err(format!("'{text}' is not NAME:VARIABLE=VALUE")),
        }
    }
}

/// A broker that answers. One that a recipe started is stopped when this is dropped.
pub struct Peer {
    /// What it is called in results.
    pub name: String,
    /// HOST:PORT.
    pub address: String,
    /// Its process, if that is known.
    pub pid: Option<u32>,
    /// How long it took from its start to its first answer.
    pub started_in: Option<Duration>,
    started: Option<Started>,
}

/// What a recipe needs to be started again.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The program.
    pub program: PathBuf,
    /// Where it keeps everything.
    pub dir: PathBuf,
    /// On 127.0.0.1.
    pub port: u16,
    /// For it alone.
    pub variables: Vec<(String, String)>,
    /// Its CPUs; none means any.
    pub cpus: Vec<usize>,
}

struct Started {
    child: Child,
    /// Removes what the broker kept.
    _dir: Option<tempfile::TempDir>,
}

impl Peer {
    /// The broker of `spec`, started if need be in a new folder within `work_dir`.
    ///
    /// # Errors
    /// When it does not answer; with the end of its log if it was started here.
    pub fn open(
        spec: &PeerSpec,
        settings: &[Setting],
        cpus: &[usize],
        work_dir: &Path,
    ) -> Result<Peer, BenchError> {
        if let Source::Address { address, pid } = &spec.source {
            Connection::open(address, "vltava-bench", Timeouts::default())?;
            return Ok(Peer {
                name: spec.name.clone(),
                address: address.clone(),
                pid: *pid,
                started_in: None,
                started: None,
            });
        }
        let dir = new_folder(work_dir)?;
        let mut peer = Recipe::of(spec, settings, cpus, dir.path())?.start(&spec.name)?;
        if let Some(started) = &mut peer.started {
            started._dir = Some(dir);
        }
        Ok(peer)
    }

    /// Stops it, if it was started here, and waits until it is gone.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn stop(&mut self, signal: Signal) -> Result<Option<ExitStatus>, BenchError> {
        let Some(started) = &mut self.started else {
            return Ok(None);
        };
        let stopped = stop_child(&mut started.child, signal);
        stopped.map(Some).map_err(file(Path::new(&self.name)))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.stop(Signal::TERM);
    }
}

impl Recipe {
    /// Of a peer that is one, with a port of its own.
    ///
    /// # Errors
    /// When it is a broker that runs already.
    pub fn of(
        spec: &PeerSpec,
        settings: &[Setting],
        cpus: &[usize],
        dir: &Path,
    ) -> Result<Recipe, BenchError> {
        let Source::Recipe(program) = &spec.source else {
            return Err(BenchError::Other(format!(
                "{} runs already: a recipe is needed, a program that becomes the broker",
                spec.name
            )));
        };
        let variables = settings.iter().filter(|setting| setting.peer == spec.name);
        Ok(Recipe {
            program: program.clone(),
            dir: fs::canonicalize(dir).map_err(file(dir))?,
            port: free_port()?,
            variables: variables
                .map(|setting| (setting.variable.clone(), setting.value.clone()))
                .collect(),
            cpus: cpus.to_vec(),
        })
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it does not; with the end of its log.
    pub fn start(&self, name: &str) -> Result<Peer, BenchError> {
        let log_path = self.dir.join("broker.log");
        let log = File::create(&log_path).map_err(file(&log_path))?;
        let errors = log.try_clone().map_err(file(&log_path))?;
        // A recipe that is named without a folder is a file here, not a program of the PATH.
        let program = fs::canonicalize(&self.program).map_err(file(&self.program))?;
        let mut command = Command::new(&program);
        command
            .arg(self.port.to_string())
            .arg(&self.dir)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C is for us: we stop the broker when we are done with it.
            .process_group(0);
        let began = Instant::now();
        let spawned = affinity::within(&self.cpus, || command.spawn())?;
        let child = spawned.map_err(file(&program))?;
        signals::broker_started(child.id());
        let mut peer = Peer {
            name: name.to_owned(),
            address: format!("127.0.0.1:{}", self.port),
            pid: Some(child.id()),
            started_in: None,
            started: Some(Started { child, _dir: None }),
        };
        peer.wait_until_it_answers(began, &log_path)?;
        peer.started_in = Some(began.elapsed());
        Ok(peer)
    }
}

impl Peer {
    fn wait_until_it_answers(&mut self, began: Instant, log: &Path) -> Result<(), BenchError> {
        let interrupted = interrupted()?;
        loop {
            if Connection::open(&self.address, "vltava-bench", Timeouts::default()).is_ok() {
                return Ok(());
            }
            let ended = self
                .started
                .as_mut()
                .map(|started| started.child.try_wait());
            let ended = ended.is_some_and(|status| !matches!(status, Ok(None)));
            let stop = interrupted.load(std::sync::atomic::Ordering::Relaxed);
            if ended || stop || began.elapsed() > START_PATIENCE {
                let (name, tail) = (&self.name, tail(log));
                let why = if ended { "ended" } else { "does not answer" };
                return Err(BenchError::Other(format!("{name} {why}: {tail}")));
            }
            std::thread::sleep(START_TICK);
        }
    }
}

/// Waits until it is gone; one that does not hear is killed.
fn stop_child(child: &mut Child, signal: Signal) -> std::io::Result<ExitStatus> {
    let stopped = stop_and_wait(child, signal);
    signals::broker_ended(child.id());
    stopped
}

fn stop_and_wait(child: &mut Child, signal: Signal) -> std::io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, signal)?;
    }
    let told = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if told.elapsed() > STOP_PATIENCE {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(START_TICK);
    }
}

/// The last lines of a broker's log.
fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

/// A port that nobody listens on now.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16, BenchError> {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = bound.map_err(BenchError::connection("127.0.0.1"))?;
    Ok(address.port())
}

/// A new folder for a broker's data within `work_dir`, gone when it is dropped.
///
/// # Errors
/// When it cannot be made.
pub fn new_folder(work_dir: &Path) -> Result<tempfile::TempDir, BenchError> {
    let made = tempfile::Builder::new()
        .prefix("vltava-bench-")
        .tempdir_in(work_dir);
    made.map_err(file(work_dir))
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> BenchError + use<> {
    let path = path.to_owned();
    move |source| BenchError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_an_address_or_a_recipe_and_has_a_name() {
        let address = |name: &str, address: &str, pid| PeerSpec {
            name: name.to_owned(),
            source: Source::Address {
                address: address.to_owned(),
                pid,
            },
        };
        assert_eq!("h:9092".parse(), Ok(address("h:9092", "h:9092", None)));
        assert_eq!("old=h:1,77".parse(), Ok(address("old", "h:1", Some(77))));
        let recipe: PeerSpec = "new=peers/vltava".parse().unwrap();
        assert_eq!(recipe.source, Source::Recipe("peers/vltava".into()));
        assert_eq!("peers/kafka".parse::<PeerSpec>().unwrap().name, "kafka");
        for wrong in ["", "a=", "nowhere", "x=h:99999", "=h:1", "h:1,x"] {
            assert!(wrong.parse::<PeerSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_is_for_one_peer() {
        let setting: Setting = "old:VLTAVA=/a=b:c".parse().unwrap();
        assert_eq!((&*setting.peer, &*setting.value), ("old", "/a=b:c"));
        for wrong in ["VLTAVA=/a", "old:VLTAVA", ":A=b", "old:=b"] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_recipe_that_ends_is_told_with_its_last_words() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("broken");
        fs::write(
            &program,
            "#!/bin/sh\necho no such thing as $1 >&2\nexit 1\n",
        )
        .unwrap();
        let mut permissions = fs::metadata(&program).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        fs::set_permissions(&program, permissions).unwrap();
        let spec: PeerSpec = program.display().to_string().parse().unwrap();
        let error = Peer::open(&spec, &[], &[], directory.path()).err().unwrap();
        let error = error.to_string();
        assert!(error.contains("broken ended: no such thing as"), "{error}");
        // Nothing but the recipe is left.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
