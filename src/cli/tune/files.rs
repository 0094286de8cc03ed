//! Writing the two files, and taking them back.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Setting};
use super::written::{Entry, Foreign, Kind, entries, parse, render};
use crate::cli::CliError;
use crate::io::durable_write::durable_write;

/// One of the files, as it is and as it should be.
pub struct Planned {
    kind: Kind,
    path: PathBuf,
    /// What it says now; nothing where it is not there.
    now: Option<String>,
    /// What it sets now.
    already: Vec<Entry>,
    /// What it should say.
    pub then: Option<String>,
}

/// Why a file is left alone.
#[derive(Debug)]
struct Refusal {
    path: PathBuf,
    why: Foreign,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Foreign::NotOurs => "was not written by `vltava tune`",
            Foreign::Changed => "was changed since `vltava tune` wrote it",
        };
        write!(
            f,
            "{} {why}, so it is left alone: move it away first",
            self.path.display()
        )
    }
}

/// What both files should say, below `root`.
///
/// # Errors
/// One of them cannot be read, or is somebody else's: then neither is to be touched.
pub fn plan(root: &Path, findings: &[Finding]) -> Result<Vec<Planned>, CliError> {
    let mut planned = Vec::new();
    for kind in Kind::ALL {
        let path = root.join(kind.path());
        let (now, already) = existing(&path)?;
        let wanted = entries(kind, findings, &already);
        planned.push(Planned {
            kind,
            path,
            now,
            already,
            then: (!wanted.is_empty()).then(|| render(kind, &wanted)),
        });
    }
    Ok(planned)
}

fn existing(path: &Path) -> Result<(Option<String>, Vec<Entry>), CliError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, Vec::new())),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let refused = |why| {
        let path = path.to_owned();
        CliError::Failed(Refusal { path, why }.to_string())
    };
    let text = String::from_utf8(bytes).map_err(|_| refused(Foreign::NotOurs))?;
    let entries = parse(&text).map_err(refused)?;
    Ok((Some(text), entries))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> CliError {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => " (as root?)",
        _ => "",
    };
    CliError::Failed(format!("cannot {what} {}: {error}{hint}", path.display()))
}

impl Planned {
    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How these settings are put in force, if the file has all of them already.
    pub fn loads(&self, kind: Kind, settings: &[Setting]) -> Option<&'static str> {
        let has = |setting: &Setting| {
            let mut there = self.already.iter().map(|entry| &entry.setting);
            there.any(|old| old.key == setting.key && old.value == setting.value)
        };
        (self.kind == kind && settings.iter().all(has)).then(|| kind.loaded_by())
    }

    /// Whether there is something to write.
    pub fn is_new(&self) -> bool {
        self.then.is_some() && self.then != self.now
    }
}

/// Shows each file whole, and then writes exactly that; with `only_show` it stops there.
///
/// # Errors
/// A file cannot be written.
pub fn apply(planned: &[Planned], only_show: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let news: Vec<_> = planned.iter().filter(|file| file.is_new()).collect();
    if news.is_empty() {
        writeln!(out, "Nothing to write: no file would change.")?;
        return Ok(());
    }
    for file in &news {
        writeln!(
            out,
            "==> {} <==\n{}",
            file.path.display(),
            file.then.as_deref().unwrap_or_default().trim_end()
        )?;
        writeln!(out)?;
    }
    if only_show {
        writeln!(out, "Nothing was written (--dry-run).")?;
        return Ok(());
    }
    out.flush()?;
    for file in &news {
        write(file)?;
        writeln!(
            out,
            "Written: {}. In force after: {}",
            file.path.display(),
            file.kind.loaded_by()
        )?;
    }
    Ok(())
}

fn write(file: &Planned) -> Result<(), CliError> {
    let folder = file.path.parent().unwrap_or(Path::new("/"));
    let text = file.then.as_deref().unwrap_or_default();
    fs::create_dir_all(folder)
        .and_then(|()| durable_write(&file.path, text.as_bytes()))
        .map_err(|error| failed("write", &file.path, &error))
}

/// Removes what was written, and says how what is in force is put back.
///
/// # Errors
/// A file is somebody else's (then both stay), or cannot be removed.
pub fn undo(root: &Path, only_show: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let mut there = Vec::new();
    for kind in Kind::ALL {
        let path = root.join(kind.path());
        if let (Some(_), entries) = existing(&path)? {
            there.push((path, entries));
        }
    }
    if there.is_empty() {
        writeln!(
            out,
            "Nothing to undo: `vltava tune --apply` has written nothing here."
        )?;
        return Ok(());
    }
    let mut commands: Vec<String> = Vec::new();
    for (path, entries) in there {
        if only_show {
            writeln!(out, "Would be removed: {}", path.display())?;
        } else {
            fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
            remove_own_folder(&path);
            writeln!(out, "Removed: {}", path.display())?;
        }
        let undone = entries.into_iter().map(|entry| entry.setting.undo);
        commands.extend(
            undone
                .filter(|command| !commands.contains(command))
                .collect::<Vec<_>>(),
        );
    }
    commands.dedup();
    writeln!(
        out,
        "What is in force stays so until the host starts anew, or until:"
    )?;
    for command in commands {
        writeln!(out, "  {command}")?;
    }
    Ok(())
}

/// The drop-in's folder, if nothing else is in it; others are the system's.
fn remove_own_folder(path: &Path) {
    if let Some(folder) = path
        .parent()
        .filter(|folder| folder.ends_with("vltava.service.d"))
    {
        // It stays where somebody has another drop-in in it.
        let _ = fs::remove_dir(folder);
    }
}
