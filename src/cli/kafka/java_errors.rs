//! Kafka's names and words of errors where a command of Kafka prints a Java exception: scripts look for them.

use crate::client::ClientError;
use crate::wire::ErrorCode;

/// As Java prints the exception: its class and its words.
pub fn exception(error: &ClientError) -> String {
    match error {
        ClientError::Broker { code, message, .. } => of_code(*code, message.as_deref()),
        ClientError::NoSuchTopic { .. } | ClientError::NoSuchPartition { .. } => {
            of_code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, None)
        }
        ClientError::GaveUp { last, .. } => match last.code() {
            Some(code) => of_code(code, None),
            None => format!("org.apache.kafka.common.errors.TimeoutException: {last}"),
        },
        other => other.to_string(),
    }
}

/// The same of a code; `message` is what the broker says itself.
pub fn of_code(code: ErrorCode, message: Option<&str>) -> String {
    let words = message.filter(|words| !words.is_empty());
    format!(
        "org.apache.kafka.common.errors.{}: {}",
        class(code),
        words.unwrap_or(words_of(code))
    )
}

/// What Kafka says of a code; our own words where its commands do not show any.
pub fn words_of(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::GROUP_ID_NOT_FOUND => "The group id does not exist.",
        ErrorCode::NON_EMPTY_GROUP => "The group is not empty.",
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => "This server does not host this topic-partition.",
        ErrorCode::OFFSET_OUT_OF_RANGE => {
            "The requested offset is not within the range of offsets maintained by the server."
        }
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC => {
            "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."
        }
        code => code.message(),
    }
}

fn class(code: ErrorCode) -> String {
    match code {
        ErrorCode::NON_EMPTY_GROUP => "GroupNotEmptyException".to_owned(),
        ErrorCode::GROUP_AUTHORIZATION_FAILED => "GroupAuthorizationException".to_owned(),
        ErrorCode::TOPIC_AUTHORIZATION_FAILED => "TopicAuthorizationException".to_owned(),
        ErrorCode::REQUEST_TIMED_OUT => "TimeoutException".to_owned(),
        code => format!(
            "{}Exception",
            camel_case(code.name().unwrap_or("UNKNOWN_SERVER"))
        ),
    }
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{first}{}", rest.to_lowercase())
    };
    name.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_javas_exceptions() {
        assert_eq!(
            of_code(ErrorCode::GROUP_ID_NOT_FOUND, Some("Group a not found.")),
            "org.apache.kafka.common.errors.GroupIdNotFoundException: Group a not found."
        );
        assert_eq!(
            of_code(ErrorCode::NON_EMPTY_GROUP, None),
            "org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty."
        );
    }
}
