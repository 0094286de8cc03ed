//! `vltava tune`: the report, its files, and taking them back.
//!
//! Setup: a tree of `/proc`, `/sys` and `/etc` as a host has it, and another one to write into. Expectation: exit codes and findings
//! that follow from the host; exactly the files that were shown; nothing touched that is somebody else's.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::scratch_dir;
use serde_json::Value;

const SYSCTL: &str = "etc/sysctl.d/60-vltava.conf";
const DROP_IN: &str = "etc/systemd/system/vltava.service.d/tuning.conf";

/// A host, and an empty root beside it.
struct Setup {
    home: tempfile::TempDir,
}

impl Setup {
    /// A server as it comes: few open files, writing out at 10 % of 64 GiB, ext4, systemd.
    fn fresh_server() -> Setup {
        let setup = Setup {
            home: tempfile::tempdir_in(scratch_dir()).expect("a scratch folder"),
        };
        for (path, text) in [
            ("proc/sys/kernel/osrelease", "6.8.0-31-generic\n"),
            ("proc/sys/kernel/io_uring_disabled", "0\n"),
            ("proc/sys/vm/dirty_background_bytes", "0\n"),
            ("proc/sys/vm/dirty_background_ratio", "10\n"),
            ("proc/sys/net/core/rmem_max", "212992\n"),
            ("proc/sys/net/core/wmem_max", "212992\n"),
            ("proc/sys/net/core/somaxconn", "4096\n"),
            ("proc/meminfo", "MemTotal:       67108864 kB\n"),
            (
                "proc/self/status",
                "CapEff:\t0\nCpus_allowed_list:\t0-3\nSeccomp:\t0\n",
            ),
            (
                "proc/self/limits",
                "Max open files            1024                 524288               files     \n\
                 Max locked memory         8388608              8388608              bytes     \n",
            ),
            (
                "proc/self/mountinfo",
                "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n",
            ),
            ("sys/devices/system/cpu/online", "0-3\n"),
            (
                "sys/kernel/mm/transparent_hugepage/enabled",
                "always [madvise] never\n",
            ),
            ("run/systemd/system/keep", ""),
        ] {
            setup.host(path, text);
        }
        fs::create_dir(setup.root()).expect("a folder to write into");
        setup
    }

    fn host(&self, path: &str, text: &str) {
        let path = self.home.path().join("host").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a scratch folder");
        fs::write(path, text).expect("a scratch file");
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    fn written(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root().join(path)).ok()
    }

    /// Exit code, standard output, standard error.
    fn tune(&self, args: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
            .args(["tune", "--host"])
            .arg(self.home.path().join("host"))
            .arg("--root")
            .arg(self.root())
            .args(args)
            .output()
            .expect("the binary runs");
        (
            output.status.code().expect("no signal"),
            String::from_utf8(output.stdout).expect("UTF-8"),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.tune(&[args, &["--json"]].concat());
        (
            code,
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")),
        )
    }
}

fn finding<'a>(report: &'a Value, topic: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("a list");
    findings
        .iter()
        .find(|finding| finding["topic"] == topic)
        .unwrap_or_else(|| panic!("nothing about {topic}"))
}

fn paths_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(paths_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_fresh_server_has_something_worth_changing_and_nothing_is_touched() {
    let setup = Setup::fresh_server();
    let (code, out, err) = setup.tune(&[]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.contains("CHANGE    open files"), "{out}");
    assert!(out.contains("LimitNOFILE=200000"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 110), "{out}");
    assert_eq!(paths_below(&setup.root()), [] as [PathBuf; 0]);
}

#[test]
fn the_worst_comes_first_and_json_says_the_same_as_the_text() {
    let setup = Setup::fresh_server();
    setup.host("proc/sys/kernel/io_uring_disabled", "2\n");
    setup.host("etc/group", "root:x:0:\nvltava:x:990:\n");
    let (code, report) = setup.json(&["--cores", "2-3"]);
    assert_eq!(code, 1);
    assert_eq!(report["findings"][0]["topic"], "io_uring");
    assert_eq!(report["findings"][0]["verdict"], "must");
    assert_eq!(report["cpus"], "2-3");
    assert_eq!(report["kernel"], "6.8.0-31-generic");
    let files = finding(&report, "open files");
    assert_eq!(
        (&files["is"], &files["should"], &files["where"]),
        (&"1024".into(), &"200000".into(), &"systemd".into())
    );
    let texts: Vec<_> = report["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| file["content"].as_str().unwrap_or_default())
        .collect();
    assert!(
        texts[0].contains("\nkernel.io_uring_group = 990\n"),
        "{}",
        texts[0]
    );
    assert!(
        texts[1].contains("[Service]") && texts[1].contains("\nLimitNOFILE=200000\n"),
        "{}",
        texts[1]
    );
}

#[test]
fn apply_writes_exactly_what_it_showed_and_nothing_else() {
    let setup = Setup::fresh_server();
    setup.host("proc/sys/net/core/somaxconn", "40\n");
    let (code, shown, _) = setup.tune(&["--apply", "--dry-run"]);
    assert_eq!(code, 0);
    assert_eq!(paths_below(&setup.root()), [] as [PathBuf; 0], "shown only");

    let (code, out, err) = setup.tune(&["--apply"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        paths_below(&setup.root()),
        [setup.root().join(SYSCTL), setup.root().join(DROP_IN)]
    );
    for path in [SYSCTL, DROP_IN] {
        let text = setup.written(path).expect("it was written");
        assert!(shown.contains(text.trim_end()), "{shown}");
        assert!(out.contains(text.trim_end()), "{out}");
    }
    assert!(
        setup
            .written(SYSCTL)
            .expect("written")
            .contains("\nnet.core.somaxconn = 50\n")
    );
    assert!(
        out.contains("sysctl --system") && out.contains("systemctl daemon-reload"),
        "{out}"
    );
}

#[test]
fn a_second_apply_keeps_what_the_first_one_set() {
    let setup = Setup::fresh_server();
    setup.tune(&["--apply"]);
    let first = setup.written(DROP_IN).expect("written");
    let (code, out, _) = setup.tune(&[]);
    assert_eq!(code, 1, "written, and not in force");
    assert!(
        out.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("LimitNOFILE=200000 (written already"),
        "{out}"
    );
    // As it looks once the drop-in is in force.
    setup.host(
        "proc/self/limits",
        "Max open files            200000               524288               files     \n\
         Max locked memory         67108864             67108864             bytes     \n",
    );
    let (_, report) = setup.json(&[]);
    assert_eq!(finding(&report, "open files")["verdict"], "ok");
    assert_eq!(report["files"][1]["is_new"], false);
    let (code, out, _) = setup.tune(&["--apply"]);
    assert_eq!(code, 0);
    assert!(!out.contains("tuning.conf <=="), "{out}");
    assert_eq!(setup.written(DROP_IN), Some(first));
}

#[test]
fn undo_removes_both_files_and_says_what_puts_back_what_was() {
    let setup = Setup::fresh_server();
    setup.host("proc/sys/net/core/somaxconn", "40\n");
    setup.tune(&["--apply"]);
    // What was before stands in the file, whatever the host says by now.
    setup.host("proc/sys/net/core/somaxconn", "50\n");
    let (code, out, err) = setup.tune(&["--undo"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(paths_below(&setup.root()), [] as [PathBuf; 0]);
    assert!(out.contains("sysctl -w 'net.core.somaxconn=40'"), "{out}");
    let (code, out, _) = setup.tune(&["--undo"]);
    assert!(code == 0 && out.contains("Nothing to undo"), "{out}");
}

#[test]
fn a_file_that_somebody_changed_or_wrote_is_left_alone_and_so_is_the_other_one() {
    let setup = Setup::fresh_server();
    setup.host("proc/sys/net/core/somaxconn", "40\n");
    setup.tune(&["--apply"]);
    let sysctl = setup.written(SYSCTL).expect("written");
    let changed = setup
        .written(DROP_IN)
        .expect("written")
        .replace("200000", "300000");
    fs::write(setup.root().join(DROP_IN), &changed).expect("a scratch file");
    for args in [["--undo"], ["--apply"]] {
        let (code, _, err) = setup.tune(&args);
        assert_eq!(code, 2, "{args:?}");
        assert!(
            err.contains("tuning.conf") && err.contains("was changed since"),
            "{err}"
        );
    }
    assert_eq!(setup.written(DROP_IN), Some(changed));
    assert_eq!(setup.written(SYSCTL), Some(sysctl));

    fs::write(setup.root().join(SYSCTL), "vm.swappiness = 1\n").expect("a scratch file");
    let (code, _, err) = setup.tune(&["--apply"]);
    assert!(code == 2 && err.contains("was not written by"), "{err}");
    let (code, report) = setup.json(&[]);
    assert!(
        code == 1 && report["files"] == Value::Array(Vec::new()),
        "{report}"
    );
}

#[test]
fn a_host_that_shows_nothing_is_said_to_be_unseen_and_one_without_proc_is_an_error() {
    let setup = Setup::fresh_server();
    fs::remove_dir_all(setup.home.path().join("host")).expect("a scratch folder");
    let (code, _, err) = setup.tune(&[]);
    assert!(code == 2 && err.contains("no /proc and /sys"), "{err}");
    setup.host("proc/empty", "");
    setup.host("sys/empty", "");
    // What the broker's own settings say needs no host to be seen.
    let properties = setup.home.path().join("server.properties");
    let large = "socket.send.buffer.bytes=1048576\nsocket.receive.buffer.bytes=1048576\n";
    fs::write(&properties, large).expect("a scratch file");
    let (code, report) = setup.json(&["--config", properties.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{report}");
    let findings = report["findings"].as_array().expect("a list");
    let unseen = findings
        .iter()
        .filter(|finding| finding["verdict"] == "unseen");
    assert!(unseen.count() >= 10, "{report}");
}

#[test]
fn a_container_is_told_that_the_files_belong_on_its_host() {
    let setup = Setup::fresh_server();
    setup.host(".dockerenv", "");
    let host = setup.home.path().join("host");
    let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .args(["tune", "--apply", "--dry-run", "--host"])
        .arg(&host)
        .output()
        .expect("the binary runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("run it on the host"), "{err}");
    // An image that is made in a container may be written.
    assert_eq!(setup.tune(&["--apply"]).0, 0);
    assert!(setup.written(DROP_IN).is_some());
}

#[test]
fn this_very_host_can_be_looked_at() {
    let data = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .args(["tune", "--json", "--pid"])
        .arg(std::process::id().to_string())
        .arg("--data-dir")
        .arg(data.path())
        .output()
        .expect("the binary runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["process"], std::process::id());
    assert_eq!(
        finding(&report, "kernel")["verdict"]
            .as_str()
            .map(str::is_empty),
        Some(false)
    );
    assert_ne!(finding(&report, "open files")["verdict"], "unseen");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let setup = Setup::fresh_server();
    for (args, word) in [
        (vec!["--dry-run"], "--apply"),
        (vec!["--cores", "9"], "9"),
        (vec!["--config", "/no/such/file"], "/no/such/file"),
        (vec!["--pid", "999999999"], "process"),
        (vec!["--apply", "--undo"], "--undo"),
    ] {
        let (code, _, err) = setup.tune(&args);
        assert!(code == 2 && err.contains(word), "{args:?}: {code} {err}");
    }
}
