//! Makes what the clients need, once, under `target/test-clients/`: Python venvs, Go binaries, a folder of jars.
//!
//! Nothing is downloaded but packages by name and version from their registries. Test binaries may run side by side, so
//! each part is made under a lock file, and a stamp with the contents of its sources says whether it is still good.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{child, in_ci, package_dir, scratch_dir};

/// Setting up a part downloads packages and may compile: generous, but not for ever.
const SETUP_DEADLINE: Duration = Duration::from_secs(300);

/// A part of what the clients need; its value is the path that its driver starts from.
struct Part {
    name: &'static str,
    /// The programs without which this part is skipped.
    needs: &'static [&'static str],
    /// What it is made from, below `tests/clients/`.
    sources: &'static [&'static str],
    make: fn(sources: &Path, made: &Path) -> Result<(), String>,
}

/// The interpreter of a venv with librdkafka and kafka-python; `None` (and a line that says so) without Python.
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "python",
        needs: &["python3"],
        sources: &["python/requirements.txt"],
        make: make_python,
    };
    PYTHON
        .get_or_init(|| part.ready().map(|made| made.join("venv/bin/python")))
        .as_deref()
}

/// The franz-go driver; `None` (and a line that says so) without Go.
pub fn go_driver() -> Option<&'static Path> {
    static GO: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "go",
        needs: &["go"],
        sources: &[
            "go/go.mod",
            "go/go.sum",
            "go/main.go",
            "go/produce.go",
            "go/consume.go",
            "go/groups.go",
            "go/transactions.go",
            "go/record_line.go",
        ],
        make: make_go,
    };
    GO.get_or_init(|| part.ready().map(|made| made.join("driver")))
        .as_deref()
}

/// The sarama driver; `None` (and a line that says so) without Go.
pub fn sarama_driver() -> Option<&'static Path> {
    static SARAMA: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "sarama",
        needs: &["go"],
        sources: &["sarama/go.mod", "sarama/go.sum", "sarama/main.go"],
        make: make_go,
    };
    SARAMA
        .get_or_init(|| part.ready().map(|made| made.join("driver")))
        .as_deref()
}

/// franz-go's program for administration; `None` (and a line that says so) without Go.
pub fn go_admin() -> Option<&'static Path> {
    static GO_ADMIN: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "go-admin",
        needs: &["go"],
        sources: &["go/go.mod", "go/go.sum", "go/admin/main.go"],
        make: make_go_admin,
    };
    GO_ADMIN
        .get_or_init(|| part.ready().map(|made| made.join("driver")))
        .as_deref()
}

/// A folder with the jars and the compiled driver; `None` (and a line that says so) without a JDK and Maven.
pub fn java_classes() -> Option<&'static Path> {
    static JAVA: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "java",
        needs: &["java", "javac", "mvn"],
        sources: &[
            "java/pom.xml",
            "java/Driver.java",
            "java/Groups.java",
            "java/Transactions.java",
            "java/Admin.java",
        ],
        make: make_java,
    };
    JAVA.get_or_init(|| part.ready()).as_deref()
}

/// A folder with the jars of a broker of Apache Kafka and its tools; `None` (and a line that says so) without Java and Maven.
pub fn kafka_broker() -> Option<&'static Path> {
    static KAFKA: OnceLock<Option<PathBuf>> = OnceLock::new();
    let part = Part {
        name: "kafka",
        needs: &["java", "mvn"],
        sources: &["kafka/pom.xml"],
        make: copy_jars,
    };
    KAFKA.get_or_init(|| part.ready()).as_deref()
}

/// Releases of Python clients that programs still run on, each on a Python that it runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OldPython {
    /// kafka-python 1.3.4, of 2017, on Python 3.6.
    KafkaPython134,
    /// The package `kafka` 1.3.5, on Python 3.6.
    Kafka135,
    /// kafka-python 1.4.7, of 2019.
    KafkaPython147,
    /// kafka-python 2.0.2, of 2020.
    KafkaPython202,
}

impl OldPython {
    pub const ALL: [OldPython; 4] = [
        OldPython::KafkaPython134,
        OldPython::Kafka135,
        OldPython::KafkaPython147,
        OldPython::KafkaPython202,
    ];

    /// The venv's name, its Python, the client, and what it and the programs use besides: codecs and msgpack.
    fn venv(self) -> (&'static str, &'static str, &'static str, [&'static str; 4]) {
        const OF_3_6: [&str; 4] = [
            "python-snappy==0.6.1",
            "lz4==3.1.10",
            "xxhash==3.2.0",
            "msgpack==1.0.5",
        ];
        const TODAYS: [&str; 4] = [
            "python-snappy==0.7.3",
            "lz4==4.4.5",
            "xxhash==3.5.0",
            "msgpack==1.2.4",
        ];
        match self {
            OldPython::KafkaPython134 => {
                ("kafka-python-1.3.4", "3.6", "kafka-python==1.3.4", OF_3_6)
            }
            OldPython::Kafka135 => ("kafka-1.3.5", "3.6", "kafka==1.3.5", OF_3_6),
            OldPython::KafkaPython147 => {
                ("kafka-python-1.4.7", "3.11", "kafka-python==1.4.7", TODAYS)
            }
            OldPython::KafkaPython202 => {
                ("kafka-python-2.0.2", "3.11", "kafka-python==2.0.2", TODAYS)
            }
        }
    }

    /// The interpreter of a venv with this release; `None` (and a line that says so) without the Python it runs on.
    ///
    /// # Panics
    /// If that Python is missing in CI, or the venv cannot be made though it is there.
    pub fn interpreter(self) -> Option<PathBuf> {
        let (name, version, client, codecs) = self.venv();
        let Some(base) = python_of(version) else {
            let line = format!("SKIPPED: {name}, because Python {version} is not installed");
            assert!(!in_ci(), "{line}");
            eprintln!("{line}");
            return None;
        };
        let made = test_clients_dir().join(name);
        let _lock = lock(&made.with_extension("lock"));
        let interpreter = made.join("bin/python");
        let stamp = made.join("stamp");
        let contents = format!("{client} {}", codecs.join(" "));
        if fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == contents) {
            return Some(interpreter);
        }
        let _ = fs::remove_dir_all(&made);
        let install = || {
            run(Command::new(&base).args(["-m", "venv"]).arg(&made))?;
            let pip = || {
                let mut pip = Command::new(made.join("bin/python"));
                pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
                pip
            };
            // The pip that came with Python 3.6 knows no wheels of today.
            run(pip().args(["--upgrade", "pip==21.3.1", "six"]))?;
            run(pip().args(["--only-binary", ":all:"]).args(codecs))?;
            run(pip().arg("--no-deps").arg(client))
        };
        install().unwrap_or_else(|error| panic!("setting up {name}: {error}"));
        fs::write(&stamp, contents).expect("a stamp under target");
        Some(interpreter)
    }
}

/// A Python of this version: on the path, or one of pyenv's.
fn python_of(version: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join(format!("python{version}")));
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let of_pyenv = versions.into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(&format!("{version}."))
    });
    let of_pyenv = of_pyenv.map(|entry| entry.path().join("bin/python"));
    // Pyenv's own first: what stands on the path may be a shim that knows no such version.
    of_pyenv.chain(on_path).find(|python| runs(python))
}

fn runs(python: &Path) -> bool {
    let run = Command::new(python).arg("--version").output();
    run.is_ok_and(|output| output.status.success())
}

impl Part {
    /// Where this part is, after making it if need be.
    ///
    /// # Panics
    /// If a toolchain is missing in CI, or making fails though the toolchain is there.
    fn ready(&self) -> Option<PathBuf> {
        if !has_programs(&format!("the {} clients", self.name), self.needs) {
            return None;
        }
        let made = test_clients_dir().join(self.name);
        let _lock = lock(&made.with_extension("lock"));
        let sources = package_dir().join("tests/clients");
        let contents = self
            .sources
            .iter()
            .map(|source| read(&sources.join(source)))
            .collect::<String>();
        let stamp = made.join("stamp");
        if fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == contents) {
            return Some(made);
        }
        let started = Instant::now();
        let _ = fs::remove_dir_all(&made); // left half made, or made from other sources
        fs::create_dir_all(&made).expect("a folder under target");
        (self.make)(&sources.join(self.name), &made)
            .unwrap_or_else(|error| panic!("setting up the {} clients: {error}", self.name));
        fs::write(&stamp, contents).expect("a stamp under target");
        eprintln!(
            "set up the {} clients in {:.1?}",
            self.name,
            started.elapsed()
        );
        Some(made)
    }
}

fn make_python(sources: &Path, made: &Path) -> Result<(), String> {
    let venv = made.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    run(Command::new(venv.join("bin/pip"))
        .args([
            "install",
            "--quiet",
            "--no-input",
            "--only-binary",
            ":all:",
            "--requirement",
        ])
        .arg(sources.join("requirements.txt")))
}

fn make_go(sources: &Path, made: &Path) -> Result<(), String> {
    run(Command::new("go")
        .args(["build", "-mod=readonly", "-o"])
        .arg(made.join("driver"))
        .arg(".")
        .env("GOTOOLCHAIN", "local") // the Go that is here, or an error; never a download of another
        .current_dir(sources))
}

/// A second program of the same module.
fn make_go_admin(sources: &Path, made: &Path) -> Result<(), String> {
    make_go(&sources.with_file_name("go").join("admin"), made)
}

/// What the POM names, and what that needs.
fn copy_jars(sources: &Path, made: &Path) -> Result<(), String> {
    let jars = format!("-DoutputDirectory={}", made.display());
    run(Command::new("mvn")
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(sources.join("pom.xml"))
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(jars))
}

fn make_java(sources: &Path, made: &Path) -> Result<(), String> {
    copy_jars(sources, made)?;
    run(Command::new("javac")
        .arg("-cp")
        .arg(made.join("*"))
        .arg("-d")
        .arg(made)
        .arg(sources.join("Driver.java"))
        .arg(sources.join("Groups.java"))
        .arg(sources.join("Transactions.java"))
        .arg(sources.join("Admin.java")))
}

fn run(command: &mut Command) -> Result<(), String> {
    child::run(command, b"", SETUP_DEADLINE).map(|_| ())
}

/// Whether all of these are installed; otherwise a line says that `what` is skipped.
pub fn has_programs(what: &str, needs: &[&str]) -> bool {
    let Some(missing) = needs.iter().find(|program| !is_installed(program)) else {
        return true;
    };
    let line = format!("SKIPPED: {what}, because {missing} is not installed");
    assert!(!in_ci(), "{line}");
    eprintln!("{line}");
    false
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn test_clients_dir() -> PathBuf {
    let dir = scratch_dir()
        .parent()
        .expect("the scratch folder lies in target")
        .join("test-clients");
    fs::create_dir_all(&dir).expect("a folder under target");
    dir
}

/// Waits until no other test binary is making this part; the lock ends with the returned file.
fn lock(path: &Path) -> File {
    let file = File::create(path).expect("a lock file under target");
    file.lock().expect("a lock under target");
    file
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
