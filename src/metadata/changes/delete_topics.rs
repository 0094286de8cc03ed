//! DeleteTopics decided: by name or by id, as a Kafka 4.3 controller does.

use std::collections::HashMap;

use super::Refusal;
use crate::metadata::image::Image;
use crate::types::TopicId;
use crate::wire::metadata_records::{MetadataRecord, RemoveTopicRecord};

/// A topic that shall go: exactly one of the two is given.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TopicToDelete {
    /// Its name.
    pub name: Option<String>,
    /// Its id; nil is none.
    pub id: TopicId,
}

/// A topic that goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeletedTopic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: String,
}

/// Decides on `topics`: the records that remove those that are there, and an outcome for each, in their order.
pub fn delete_topics(
    image: &Image,
    topics: &[TopicToDelete],
) -> (Vec<MetadataRecord>, Vec<Result<DeletedTopic, Refusal>>) {
    let mut mentions: HashMap<&TopicToDelete, usize> = HashMap::new();
    let mut named: HashMap<TopicId, usize> = HashMap::new();
    for topic in topics {
        *mentions.entry(topic).or_default() += 1;
        if let Ok(found) = find(image, topic) {
            *named.entry(found.id).or_default() += 1;
        }
    }
    let decide = |topic: &TopicToDelete| {
        let refuse = |words: &str| Err(Refusal::InvalidRequest(words.to_owned()));
        match (&topic.name, topic.id.is_nil()) {
            (None, true) => return refuse("Neither topic name nor id were specified."),
            (Some(_), false) => return refuse("You may not specify both topic name and topic id."),
            (Some(_), true) if mentions[topic] > 1 => return refuse("Duplicate topic name."),
            (None, false) if mentions[topic] > 1 => return refuse("Duplicate topic id."),
            _ => {}
        }
        let found = find(image, topic)?;
        if named[&found.id] > 1 {
            return refuse("The provided topic name maps to an ID that was already supplied.");
        }
        Ok(found)
    };
    let outcomes: Vec<Result<DeletedTopic, Refusal>> = topics.iter().map(decide).collect();
    let records = outcomes
        .iter()
        .flatten()
        .map(|topic| RemoveTopicRecord { topic_id: topic.id }.into())
        .collect();
    (records, outcomes)
}

fn find(image: &Image, topic: &TopicToDelete) -> Result<DeletedTopic, Refusal> {
    let found = match &topic.name {
        Some(name) => image.topic_by_name(name).ok_or(Refusal::UnknownTopic)?,
        None => image.topic(topic.id).ok_or(Refusal::UnknownTopicId)?,
    };
    Ok(DeletedTopic {
        id: found.id,
        name: found.name.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Offset;
    use crate::wire::Text;
    use crate::wire::metadata_records::TopicRecord;
    use uuid::Uuid;

    fn image() -> Image {
        let topic = |name: &'static str, id| {
            TopicRecord {
                name: Text::from_static(name),
                topic_id: Uuid::from_u128(id),
            }
            .into()
        };
        Image::default()
            .apply(&[topic("a", 1), topic("b", 2)], Offset(2))
            .unwrap()
    }

    fn by_name(name: &str) -> TopicToDelete {
        TopicToDelete {
            name: Some(name.to_owned()),
            id: Uuid::nil(),
        }
    }

    fn by_id(id: u128) -> TopicToDelete {
        TopicToDelete {
            name: None,
            id: Uuid::from_u128(id),
        }
    }

    fn refusals(topics: &[TopicToDelete]) -> Vec<String> {
        let (records, outcomes) = delete_topics(&image(), topics);
        assert_eq!(records, [], "what is refused leaves no record");
        outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_err().to_string())
            .collect()
    }

    #[test]
    fn topics_go_by_name_and_by_id() {
        let (records, outcomes) = delete_topics(&image(), &[by_name("a"), by_id(2)]);
        let names: Vec<String> = outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap().name)
            .collect();
        assert_eq!(names, ["a", "b"]);
        let after = image().apply(&records, Offset(4)).unwrap();
        assert_eq!(after.topic_count(), 0);
    }

    #[test]
    fn what_is_not_there_is_refused_and_the_rest_goes() {
        let (records, outcomes) = delete_topics(&image(), &[by_name("c"), by_id(9), by_name("b")]);
        assert_eq!(outcomes[0], Err(Refusal::UnknownTopic));
        assert_eq!(outcomes[1], Err(Refusal::UnknownTopicId));
        assert!(outcomes[2].is_ok());
        assert_eq!(records.len(), 1);
    }

    #[test]
    fn ambiguous_requests_are_refused_in_the_words_of_kafka() {
        assert_eq!(
            refusals(&[by_name("a"), by_name("a")]),
            ["Duplicate topic name."; 2]
        );
        assert_eq!(refusals(&[by_id(1), by_id(1)]), ["Duplicate topic id."; 2]);
        assert_eq!(
            refusals(&[by_name("a"), by_id(1)]),
            ["The provided topic name maps to an ID that was already supplied."; 2]
        );
        let neither = TopicToDelete {
            name: None,
            id: Uuid::nil(),
        };
        assert_eq!(
            refusals(&[neither]),
            ["Neither topic name nor id were specified."]
        );
        let both = TopicToDelete {
            name: Some("a".to_owned()),
            id: Uuid::from_u128(1),
        };
        assert_eq!(
            refusals(&[both]),
            ["You may not specify both topic name and topic id."]
        );
    }
}
