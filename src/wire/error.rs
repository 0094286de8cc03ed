//! What can be wrong with bytes that claim to be a message.
//!
//! Every variant says where in the frame (`position`, bytes from its start) and what was found, so that one log line is
//! enough to reproduce it. Knows nothing of connections: whether to answer or to close is decided elsewhere.

/// Bytes that are not the message they should be. Returned by decoding only: encoding cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The frame ends before the value does.
    #[error("at byte {position}: {needed} bytes needed, {remaining} remain")]
    Truncated {
        /// Where the value starts.
        position: usize,
        /// Bytes the value takes.
        needed: usize,
        /// Bytes left in the frame.
        remaining: usize,
    },
    /// An array claims more elements than the rest of the frame can hold.
    #[error(
        "at byte {position}: an array of {claimed} elements cannot fit into the {remaining} bytes that remain"
    )]
    ArrayTooLong {
        /// Where the array's elements start.
        position: usize,
        /// Elements claimed.
        claimed: usize,
        /// Bytes left in the frame.
        remaining: usize,
    },
    /// The decoded message would take more memory than a frame of this size may ask for.
    #[error(
        "at byte {position}: the message asks for more memory than a frame of {frame} bytes justifies"
    )]
    MemoryBudget {
        /// Where the array's elements start.
        position: usize,
        /// Length of the frame.
        frame: usize,
    },
    /// A negative length other than -1 (null), or a string longer than 32767 bytes.
    #[error("at byte {position}: invalid length {length}")]
    InvalidLength {
        /// Where the length stands.
        position: usize,
        /// The length as read.
        length: i64,
    },
    /// An unsigned varint of more than five bytes.
    #[error("at byte {position}: a varint of more than 5 bytes")]
    VarintTooLong {
        /// Where the varint starts.
        position: usize,
    },
    /// Null where this version has no null.
    #[error("at byte {position}: null where this version does not allow it")]
    UnexpectedNull {
        /// Just after the null.
        position: usize,
    },
    /// A string that is not UTF-8.
    #[error("at byte {position}: a string that is not UTF-8")]
    NotUtf8 {
        /// Where the string's first byte stands.
        position: usize,
    },
    /// Tags must ascend strictly.
    #[error("at byte {position}: tag {tag} after tag {previous}: tags must ascend")]
    TagOrder {
        /// Just after the tag.
        position: usize,
        /// The tag read.
        tag: u32,
        /// The tag before it.
        previous: u32,
    },
    /// A tagged field's content is shorter or longer than the size given for it.
    #[error(
        "at byte {position}: tagged field {tag} is {actual} bytes long, its size says {claimed}"
    )]
    TagSize {
        /// Just after the field.
        position: usize,
        /// The field's tag.
        tag: u32,
        /// Bytes its size claims.
        claimed: usize,
        /// Bytes its value took.
        actual: usize,
    },
    /// The schema does not have this version.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// The message's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A metadata record of a kind this broker does not know: it must not be skipped.
    #[error("unknown metadata record type {record_type} (version {version})")]
    UnknownRecordType {
        /// The type, as in the record's frame.
        record_type: u32,
        /// The version, as in the record's frame.
        version: u32,
    },
    /// A metadata record's frame version is not 1.
    #[error("metadata record with frame version {found}, only 1 is known")]
    UnknownFrameVersion {
        /// The version found.
        found: u32,
    },
    /// Another error, with the field it was found in.
    #[error("{structure}.{field} {fault}")]
    Field {
        /// The innermost structure being decoded.
        structure: &'static str,
        /// Its field.
        field: &'static str,
        /// What was wrong.
        fault: Box<WireError>,
    },
}

impl WireError {
    /// Names the field the error was found in; the innermost name wins.
    #[cold]
    pub(crate) fn in_field(self, structure: &'static str, field: &'static str) -> WireError {
        match self {
            named @ WireError::Field { .. } => named,
            fault => WireError::Field {
                structure,
                field,
                fault: Box::new(fault),
            },
        }
    }
}
