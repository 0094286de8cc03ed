//! Formatting directories, and what is refused.

use super::*;

const ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";

struct Node(tempfile::TempDir);

impl Node {
    fn new(more: &str) -> Node {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "node.id=4\nlog.dirs={}\n{more}",
            dir.path().join("data").display()
        );
        fs::write(dir.path().join("server.properties"), text).unwrap();
        Node(dir)
    }

    fn run(&self, line: &str) -> Result<String, String> {
        let file = self.0.path().join("server.properties");
        let mut args: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        args.extend(["-c".to_owned(), file.display().to_string()]);
        let mut out = Vec::new();
        let done = run(&args, &mut out);
        let text = String::from_utf8(out).unwrap();
        done.map(|()| text.clone())
            .map_err(|error| format!("{text}{error}"))
    }
}

#[test]
fn a_formatted_directory_is_known_afterwards() {
    let node = Node::new("");
    assert!(
        node.run("info")
            .unwrap_err()
            .contains("data does not exist")
    );
    let said = node.run(&format!("format -t {ID}")).unwrap();
    assert!(
        said.starts_with("Formatting") && said.contains("4.3-IV0."),
        "{said}"
    );
    let info = node.run("info").unwrap();
    assert!(
        info.contains(&format!("Found metadata: {{cluster.id={ID}, directory.id=")),
        "{info}"
    );
    assert!(info.contains("node.id=4, version=1}"), "{info}");
}

#[test]
fn what_is_formatted_is_left_alone() {
    let node = Node::new("");
    node.run(&format!("format -t {ID}")).unwrap();
    let again = node.run(&format!("format -t {ID}")).unwrap_err();
    assert!(
        again.contains("is already formatted. Use --ignore-formatted"),
        "{again}"
    );
    let ignored = node.run(&format!("format -t {ID} -g")).unwrap();
    assert_eq!(
        ignored,
        "All of the log directories are already formatted.\n"
    );
    let other = node
        .run("format -t AkU3OEVBNTcwNTJENDM2Qk --ignore-formatted")
        .unwrap_err();
    assert!(
        other.contains(&format!("Expected AkU3OEVBNTcwNTJENDM2Qk, but read {ID}")),
        "{other}"
    );
}

#[test]
fn a_controller_without_voters_must_stand_alone() {
    let node = Node::new("process.roles=broker,controller\n");
    let refused = node.run(&format!("format -t {ID}")).unwrap_err();
    assert!(
        refused.starts_with("Because controller.quorum.voters is not set"),
        "{refused}"
    );
    node.run(&format!("format --standalone -t {ID}")).unwrap();
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let node = Node::new("");
    for (line, words) in [
        ("format", "argument --cluster-id/-t is required"),
        ("bogus", "invalid choice: 'bogus'"),
        ("format -t a -f bogus=1", "Unsupported feature: bogus."),
        ("format -t a -r 9.9", "Unknown metadata.version '9.9'."),
        ("format -t a -N", "only controller"),
        ("format -t a\\b", "cannot be a cluster id"),
    ] {
        let refused = node.run(line).unwrap_err();
        assert!(refused.contains(words), "{line}: {refused}");
    }
    assert!(!node.0.path().join("data").exists());
    assert_eq!(node.run("random-uuid").unwrap().trim().len(), 22);
}
