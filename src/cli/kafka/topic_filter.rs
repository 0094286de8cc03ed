//! Which topics and partitions a command is about: Kafka's `IncludeList` and `TopicPartitionFilter`.
//!
//! Pure. A list of topics is one regular expression, commas standing for `|`, and must match the whole name.

use regex_lite::Regex;

/// A list of topics, or one regular expression for them.
#[derive(Clone, Debug)]
pub struct IncludeList(Regex);

impl IncludeList {
    /// Reads the text of `--topic`.
    ///
    /// # Errors
    /// A sentence when it is no regular expression.
    pub fn parse(text: &str) -> Result<IncludeList, String> {
        let plain: String = text
            .trim()
            .trim_matches(['"', '\''])
            .chars()
            .filter(|c| *c != ' ')
            .map(|c| if c == ',' { '|' } else { c })
            .collect();
        Regex::new(&format!("^(?:{plain})$"))
            .map(IncludeList)
            .map_err(|error| format!("{text} is an invalid regex: {error}"))
    }

    /// Whether a topic is meant.
    pub fn has(&self, topic: &str) -> bool {
        self.0.is_match(topic)
    }
}

/// One rule: topics, and partitions of them.
#[derive(Clone, Debug)]
pub struct Rule {
    topics: IncludeList,
    partitions: Partitions,
}

#[derive(Clone, Debug)]
enum Partitions {
    All,
    Listed(Vec<i32>),
    /// The lower bound belongs to it, the upper does not.
    Range(i32, i32),
}

impl Rule {
    /// `--topic` and `--partitions`; nothing of either means all.
    ///
    /// # Errors
    /// A sentence, Kafka's own where it has one.
    pub fn of_topic(topic: Option<&str>, partitions: Option<&str>) -> Result<Rule, String> {
        let topics = IncludeList::parse(topic.unwrap_or(".*"))?;
        let numbers = |text: &str| -> Result<Vec<i32>, String> {
            let parsed: Result<Vec<i32>, _> = text.split(',').map(str::parse).collect();
            parsed.map_err(|_| {
                format!(
                    "--partitions expects a comma separated list of numeric partition ids, but received: {text}"
                )
            })
        };
        let partitions = match partitions.filter(|text| !text.is_empty()) {
            Some(text) => Partitions::Listed(numbers(text)?),
            None => Partitions::All,
        };
        Ok(Rule { topics, partitions })
    }

    /// One part of `--topic-partitions`: `TOPIC`, `TOPIC:3`, `TOPIC:3-`, `TOPIC:-5`, `TOPIC:3-5`, each also without the topic.
    fn parse(text: &str) -> Result<Rule, String> {
        let wrong = || format!("Invalid rule specification: {text}");
        let (topic, partitions) = match text.split_once(':') {
            Some((topic, partitions)) => (topic, Some(partitions)),
            None => (text, None),
        };
        let bound = |text: &str, otherwise: i32| match text {
            "" => Ok(otherwise),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| wrong())
            }
            _ => Err(wrong()),
        };
        let partitions = match partitions {
            None | Some("") => Partitions::All,
            Some(range) => match range.split_once('-') {
                None => Partitions::Listed(vec![bound(range, 0)?]),
                Some((from, to)) => Partitions::Range(bound(from, 0)?, bound(to, i32::MAX)?),
            },
        };
        let topics = IncludeList::parse(if topic.is_empty() { ".*" } else { topic })?;
        Ok(Rule { topics, partitions })
    }

    /// Whether a partition is meant.
    pub fn has(&self, topic: &str, partition: i32) -> bool {
        let counted = match &self.partitions {
            Partitions::All => true,
            Partitions::Listed(listed) => listed.contains(&partition),
            Partitions::Range(from, to) => (*from..*to).contains(&partition),
        };
        counted && self.topics.has(topic)
    }
}

/// The rules of `--topic-partitions`, any of which may hold.
///
/// # Errors
/// Kafka's sentence for a rule that is none.
pub fn rules(text: &str) -> Result<Vec<Rule>, String> {
    text.split(',').map(Rule::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_topics_matches_whole_names() {
        let list = IncludeList::parse("a, b.*").unwrap();
        assert!(list.has("a") && list.has("bcd"));
        assert!(!list.has("ab") && !list.has("xb"));
        assert!(IncludeList::parse("(").is_err());
    }

    #[test]
    fn the_rules_of_kafkas_help_mean_what_it_says() {
        let all = rules("topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3,:9").unwrap();
        let has = |topic: &str, partition| all.iter().any(|rule| rule.has(topic, partition));
        for (topic, partition, expected) in [
            ("topic1", 1, true),
            ("topic1", 0, false),
            ("topic2", 0, true),
            ("topic2", 3, false),
            ("topic3", 77, true),
            ("topic4", 4, false),
            ("topic4", 5, true),
            ("topic5", 2, true),
            ("topic5", 3, false),
            ("other", 9, true),
            ("other", 8, false),
        ] {
            assert_eq!(has(topic, partition), expected, "{topic}:{partition}");
        }
        assert_eq!(rules("a:x").unwrap_err(), "Invalid rule specification: a:x");
    }

    #[test]
    fn partitions_are_numbers() {
        let rule = Rule::of_topic(Some("a"), Some("0,2")).unwrap();
        assert!(rule.has("a", 2) && !rule.has("a", 1));
        assert!(
            Rule::of_topic(None, Some("0,x"))
                .unwrap_err()
                .starts_with("--partitions expects")
        );
    }
}
