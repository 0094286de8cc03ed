//! A record as a line of output, by the properties of Kafka's `DefaultMessageFormatter`.
//!
//! ```text
//! CreateTime:1700000000000  Partition:0  Offset:7  Delivery:NOT_PRESENT  Epoch:NOT_PRESENT  NAME:VALUE,NAME:VALUE  KEY  VALUE
//! ```
//!
//! Each column stands where its property asks for it, tabs between them; by default there is the value alone. Delivery count
//! and leader epoch are known to no console consumer: Kafka's prints the same words.

use std::io::{self, Write};

use crate::wire::records::{Record, TimestampType};

/// Which columns are printed, and how.
#[derive(Debug, Clone)]
pub struct RecordPrinter {
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key_deserializer: Deserializer,
    value_deserializer: Deserializer,
    headers_deserializer: Deserializer,
}

impl Default for RecordPrinter {
    fn default() -> RecordPrinter {
        RecordPrinter {
            timestamp: false,
            partition: false,
            offset: false,
            delivery: false,
            epoch: false,
            headers: false,
            key: false,
            value: true,
            key_separator: b"\t".to_vec(),
            line_separator: b"\n".to_vec(),
            headers_separator: b",".to_vec(),
            null_literal: b"null".to_vec(),
            key_deserializer: Deserializer::Bytes,
            value_deserializer: Deserializer::Bytes,
            headers_deserializer: Deserializer::Bytes,
        }
    }
}

/// How bytes become text; those of Kafka's deserializers whose text is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deserializer {
    /// As they are.
    Bytes,
    /// UTF-8, what is none of it replaced.
    Text,
    Short,
    Integer,
    Long,
    Boolean,
}

/// Why a record was not printed.
#[derive(Debug)]
pub enum PrintError {
    /// Its bytes are not what the deserializer takes.
    Record(String),
    Output(io::Error),
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> PrintError {
        PrintError::Output(error)
    }
}

const PACKAGE: &str = "org.apache.kafka.common.serialization.";

impl Deserializer {
    fn of_class(class: &str) -> Result<Deserializer, String> {
        Ok(match class.strip_prefix(PACKAGE).unwrap_or(class) {
            "ByteArrayDeserializer" | "BytesDeserializer" | "ByteBufferDeserializer" => {
                Deserializer::Bytes
            }
            // The serializer of identifiers writes them as text.
            "StringDeserializer" | "UUIDDeserializer" => Deserializer::Text,
            "ShortDeserializer" => Deserializer::Short,
            "IntegerDeserializer" => Deserializer::Integer,
            "LongDeserializer" => Deserializer::Long,
            "BooleanDeserializer" => Deserializer::Boolean,
            _ => {
                return Err(format!(
                    "the deserializer {class} is not known here; known are {PACKAGE}String-, ByteArray-, Short-, Integer-, Long-, \
                     Boolean- and UUIDDeserializer"
                ));
            }
        })
    }

    fn write(self, bytes: &[u8], out: &mut dyn Write) -> Result<(), PrintError> {
        let wrong = |size| {
            PrintError::Record(format!(
                "Size of data received by the deserializer is not {size}"
            ))
        };
        let number = |size: usize| -> Result<i64, PrintError> {
            if bytes.len() != size {
                return Err(wrong(size));
            }
            let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
            let start = if negative { -1i64 } else { 0 };
            Ok(bytes
                .iter()
                .fold(start, |sum, &byte| sum << 8 | i64::from(byte)))
        };
        match self {
            Deserializer::Bytes => out.write_all(bytes)?,
            Deserializer::Text => out.write_all(String::from_utf8_lossy(bytes).as_bytes())?,
            Deserializer::Short => write!(out, "{}", number(2)?)?,
            Deserializer::Integer => write!(out, "{}", number(4)?)?,
            Deserializer::Long => write!(out, "{}", number(8)?)?,
            Deserializer::Boolean => match number(1)? {
                0 => out.write_all(b"false")?,
                1 => out.write_all(b"true")?,
                other => {
                    return Err(PrintError::Record(format!(
                        "Unexpected byte received: {other}"
                    )));
                }
            },
        }
        Ok(())
    }
}

impl RecordPrinter {
    /// A printer with these properties, and one sentence for each that it does not have.
    ///
    /// # Errors
    /// A deserializer that is not known.
    pub fn new(properties: &[(String, String)]) -> Result<(RecordPrinter, Vec<String>), String> {
        let mut printer = RecordPrinter::default();
        let mut unknown = Vec::new();
        for (name, value) in properties {
            if let Some(column) = printer.column(name) {
                *column = value.trim().eq_ignore_ascii_case("true");
            } else if let Some(text) = printer.text(name) {
                *text = value.clone().into_bytes();
            } else if let Some(deserializer) = printer.deserializer(name) {
                *deserializer = Deserializer::of_class(value)?;
            } else {
                unknown.push(format!("the formatter has no property {name}"));
            }
        }
        Ok((printer, unknown))
    }

    fn column(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "print.timestamp" => &mut self.timestamp,
            "print.partition" => &mut self.partition,
            "print.offset" => &mut self.offset,
            "print.delivery" => &mut self.delivery,
            "print.epoch" => &mut self.epoch,
            "print.headers" => &mut self.headers,
            "print.key" => &mut self.key,
            "print.value" => &mut self.value,
            _ => return None,
        })
    }

    fn text(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        Some(match name {
            "key.separator" => &mut self.key_separator,
            "line.separator" => &mut self.line_separator,
            "headers.separator" => &mut self.headers_separator,
            "null.literal" => &mut self.null_literal,
            _ => return None,
        })
    }

    fn deserializer(&mut self, name: &str) -> Option<&mut Deserializer> {
        Some(match name {
            "key.deserializer" => &mut self.key_deserializer,
            "value.deserializer" => &mut self.value_deserializer,
            // Kafka's help says header, its code headers.
            "headers.deserializer" | "header.deserializer" => &mut self.headers_deserializer,
            _ => return None,
        })
    }

    /// Prints one record; nothing of it when it cannot be.
    ///
    /// # Errors
    /// See [`PrintError`].
    pub fn print(
        &self,
        partition: i32,
        kind: TimestampType,
        record: &Record<'_>,
        out: &mut dyn Write,
    ) -> Result<(), PrintError> {
        let mut columns: Vec<Vec<u8>> = Vec::new();
        if self.timestamp {
            let kind = match kind {
                TimestampType::CreateTime => "CreateTime",
                TimestampType::LogAppendTime => "LogAppendTime",
            };
            columns.push(format!("{kind}:{}", record.timestamp).into_bytes());
        }
        let plain = [
            (self.partition, format!("Partition:{partition}")),
            (self.offset, format!("Offset:{}", record.offset.0)),
            (self.delivery, "Delivery:NOT_PRESENT".to_owned()),
            (self.epoch, "Epoch:NOT_PRESENT".to_owned()),
        ];
        columns.extend(
            plain
                .into_iter()
                .filter(|(wanted, _)| *wanted)
                .map(|(_, text)| text.into_bytes()),
        );
        if self.headers {
            columns.push(self.headers(record)?);
        }
        if self.key {
            columns.push(self.deserialized(self.key_deserializer, record.key)?);
        }
        if self.value {
            columns.push(self.deserialized(self.value_deserializer, record.value)?);
        }
        if columns.is_empty() {
            return Ok(());
        }
        out.write_all(&columns.join(&self.key_separator[..]))?;
        out.write_all(&self.line_separator)?;
        Ok(())
    }

    fn headers(&self, record: &Record<'_>) -> Result<Vec<u8>, PrintError> {
        let mut text = Vec::new();
        for (name, value) in record.headers.iter() {
            if !text.is_empty() {
                text.extend(&self.headers_separator);
            }
            text.extend(AsRef::<[u8]>::as_ref(name));
            text.push(b':');
            text.extend(self.deserialized(self.headers_deserializer, value)?);
        }
        if text.is_empty() {
            text.extend(b"NO_HEADERS");
        }
        Ok(text)
    }

    fn deserialized(
        &self,
        deserializer: Deserializer,
        bytes: Option<&[u8]>,
    ) -> Result<Vec<u8>, PrintError> {
        let mut text = Vec::new();
        match bytes {
            Some(bytes) => deserializer.write(bytes, &mut text)?,
            None => text.extend(&self.null_literal),
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{LeaderEpoch, Offset};
    use crate::wire::records::{BatchBuilder, Codec, Scratch, batches};

    fn printer(properties: &str) -> RecordPrinter {
        let pairs: Vec<(String, String)> = properties
            .split(' ')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (printer, unknown) = RecordPrinter::new(&pairs).unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        printer
    }

    /// Prints a record with a key, a value and two headers, and one with neither of them.
    fn printed(printer: &RecordPrinter, value: &[u8]) -> Result<String, String> {
        let mut batch = BatchBuilder::new(Codec::None).placed(Offset(7), LeaderEpoch(0));
        batch.append(
            1000,
            Some(b"k"),
            Some(value),
            &[("h", Some(b"x")), ("n", None)],
        );
        batch.append(1001, None, None, &[]);
        let mut out = Vec::new();
        for batch in batches(batch.build()) {
            let records = batch
                .unwrap()
                .records(1 << 20, &mut Scratch::default())
                .unwrap();
            for record in &records {
                match printer.print(3, TimestampType::CreateTime, &record.unwrap(), &mut out) {
                    Ok(()) => {}
                    Err(PrintError::Record(why)) => return Err(why),
                    Err(PrintError::Output(error)) => panic!("{error}"),
                }
            }
        }
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn columns_stand_in_kafkas_order_with_its_words_for_what_is_not_there() {
        assert_eq!(
            printed(&RecordPrinter::default(), b"v").unwrap(),
            "v\nnull\n"
        );
        let all = printer(
            "print.key=true print.offset=true print.partition=true print.timestamp=true print.headers=true print.epoch=true print.delivery=true",
        );
        assert_eq!(
            printed(&all, b"v").unwrap(),
            "CreateTime:1000\tPartition:3\tOffset:7\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\th:x,n:null\tk\tv\n\
             CreateTime:1001\tPartition:3\tOffset:8\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\tNO_HEADERS\tnull\tnull\n"
        );
    }

    #[test]
    fn separators_and_the_word_for_null_can_be_chosen() {
        let other = printer("print.key=TRUE key.separator=- line.separator=; null.literal=NIL");
        assert_eq!(printed(&other, b"v").unwrap(), "k-v;NIL-NIL;");
    }

    #[test]
    fn numbers_are_read_as_javas_deserializers_read_them() {
        let class =
            |name: &str| printer(&format!("value.deserializer={PACKAGE}{name}Deserializer"));
        assert_eq!(
            printed(&class("Integer"), &[255, 255, 255, 254]).unwrap(),
            "-2\nnull\n"
        );
        assert_eq!(
            printed(&class("Long"), &[0, 0, 0, 0, 0, 0, 1, 0]).unwrap(),
            "256\nnull\n"
        );
        assert_eq!(printed(&class("Boolean"), &[1]).unwrap(), "true\nnull\n");
        assert!(
            printed(&class("Integer"), b"v")
                .unwrap_err()
                .contains("is not 4")
        );
        let unknown = [(
            "value.deserializer".to_owned(),
            "com.example.Mine".to_owned(),
        )];
        assert!(
            RecordPrinter::new(&unknown)
                .unwrap_err()
                .contains("com.example.Mine")
        );
        let bogus = [("bogus".to_owned(), String::new())];
        assert_eq!(
            RecordPrinter::new(&bogus).unwrap().1,
            ["the formatter has no property bogus"]
        );
    }
}
