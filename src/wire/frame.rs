//! Whole frames: length prefix, header, body.
//!
//! ```text
//! request   length int32 | api key int16 | api version int16 | correlation id int32 | client id nullable string
//!           | tagged fields, from the first flexible version on | body
//! response  length int32 | correlation id int32 | tagged fields, likewise | body
//! ```
//!
//! The client id keeps its classic int16 length in every version, and answers to ApiVersions never have tagged fields in
//! the header, so that two sides which do not yet know each other's versions can talk (KIP-511). Any core.

use bytes::Bytes;

use super::api::{self, ApiKey};
use super::error::WireError;
use super::reader::Reader;
use super::schema::{Message, Request};
use super::text::Text;
use super::writer::{Piece, Writer};

/// Room for the head of an answer; most fit, longer ones grow.
const FIRST_CAPACITY: usize = 512;

/// What stands before the body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API's key, known or not.
    pub api_key: i16,
    /// Version of header and body, served or not.
    pub api_version: i16,
    /// Chosen by the client; its answer carries it back.
    pub correlation_id: i32,
    /// The client's name for itself.
    pub client_id: Option<Text>,
}

/// Reads a request's header; `r` then stands at the body. Keys that the table of served APIs does not have are read
/// without tagged fields: enough to answer or to log.
///
/// # Errors
/// A header that is cut short or malformed.
pub fn decode_request_header(r: &mut Reader) -> Result<RequestHeader, WireError> {
    let in_header = |field| move |fault: WireError| fault.in_field("RequestHeader", field);
    let api_key = r.i16().map_err(in_header("request_api_key"))?;
    let api_version = r.i16().map_err(in_header("request_api_version"))?;
    let correlation_id = r.i32().map_err(in_header("correlation_id"))?;
    let client_id = r.nullable_text(false).map_err(in_header("client_id"))?;
    if api::row(api_key).is_some_and(|row| api_version >= row.flexible_from) {
        r.tagged_fields(|_, _| Ok(false))
            .map_err(in_header("tagged fields"))?;
    }
    Ok(RequestHeader {
        api_key,
        api_version,
        correlation_id,
        client_id,
    })
}

/// A complete answer, length prefix included, as pieces to send in order.
pub fn encode_response<M: Message>(
    correlation_id: i32,
    key: ApiKey,
    version: i16,
    body: &M,
) -> Vec<Piece> {
    let mut w = Writer::with_capacity(FIRST_CAPACITY);
    w.i32(0);
    w.i32(correlation_id);
    if has_tagged_response_header::<M>(key, version) {
        w.uvarint(0);
    }
    body.encode(&mut w, version);
    w.patch_frame_length();
    w.finish()
}

/// A complete request, length prefix included, as pieces to send in order.
pub fn encode_request<R: Request>(
    client_id: Option<&str>,
    correlation_id: i32,
    version: i16,
    body: &R,
) -> Vec<Piece> {
    let mut w = Writer::with_capacity(FIRST_CAPACITY);
    w.i32(0);
    w.i16(R::KEY as i16);
    w.i16(version);
    w.i32(correlation_id);
    w.nullable_text(client_id, false);
    if version >= R::FLEXIBLE_FROM {
        w.uvarint(0);
    }
    body.encode(&mut w, version);
    w.patch_frame_length();
    w.finish()
}

/// Reads the answer to a request of type `R` and `version` from a frame without its length prefix: correlation id and
/// body.
///
/// # Errors
/// A frame that is not such an answer.
pub fn decode_response<R: Request>(
    frame: Bytes,
    version: i16,
) -> Result<(i32, R::Response), WireError> {
    let in_header = |field| move |fault: WireError| fault.in_field("ResponseHeader", field);
    let mut r = Reader::new(frame);
    let correlation_id = r.i32().map_err(in_header("correlation_id"))?;
    if has_tagged_response_header::<R>(R::KEY, version) {
        r.tagged_fields(|_, _| Ok(false))
            .map_err(in_header("tagged fields"))?;
    }
    Ok((correlation_id, R::Response::decode(&mut r, version)?))
}

/// Request and response of one key become flexible in the same version, so either type answers.
fn has_tagged_response_header<M: Message>(key: ApiKey, version: i16) -> bool {
    key != ApiKey::ApiVersions && version >= M::FLEXIBLE_FROM
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
    use crate::wire::messages::metadata::{MetadataRequest, MetadataResponse};

    fn joined(pieces: &[Piece]) -> Vec<u8> {
        let bytes = pieces.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.as_ref(),
            Piece::External { .. } => panic!("no external piece expected"),
        });
        bytes.collect::<Vec<_>>().concat()
    }

    #[test]
    fn classic_request_header_has_no_tagged_fields() {
        let frame = joined(&encode_request(
            Some("me"),
            7,
            0,
            &ApiVersionsRequest::default(),
        ));
        assert_eq!(
            frame,
            [0, 0, 0, 12, 0, 18, 0, 0, 0, 0, 0, 7, 0, 2, b'm', b'e']
        );
    }

    #[test]
    fn flexible_request_header_ends_with_tagged_fields_and_keeps_the_classic_client_id() {
        let frame = joined(&encode_request(None, 7, 9, &MetadataRequest::default()));
        assert_eq!(
            frame[4..],
            [0, 3, 0, 9, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 1, 0, 0, 0]
        );
        let mut r = Reader::new(Bytes::from(frame).slice(4..));
        let header = decode_request_header(&mut r).unwrap();
        assert_eq!(
            header,
            RequestHeader {
                api_key: 3,
                api_version: 9,
                correlation_id: 7,
                client_id: None
            }
        );
        assert_eq!(
            MetadataRequest::decode(&mut r, 9).unwrap(),
            MetadataRequest::default()
        );
    }

    #[test]
    fn unknown_key_is_read_without_tagged_fields() {
        let mut r = Reader::new(Bytes::from_static(&[
            0x7f, 0xff, 0, 9, 0, 0, 0, 1, 0, 1, b'x', 0xee,
        ]));
        let header = decode_request_header(&mut r).unwrap();
        assert_eq!(
            (header.api_key, header.client_id),
            (0x7fff, Some(Text::from("x")))
        );
        assert_eq!(r.remaining(), 1);
    }

    #[test]
    fn answer_to_api_versions_never_has_a_tagged_header() {
        let frame = joined(&encode_response(
            7,
            ApiKey::ApiVersions,
            3,
            &ApiVersionsResponse::default(),
        ));
        // length, correlation id, error code, empty compact array, throttle time, no tagged fields
        assert_eq!(frame, [0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 0, 0]);
        let (id, _) =
            decode_response::<ApiVersionsRequest>(Bytes::from(frame).slice(4..), 3).unwrap();
        assert_eq!(id, 7);
    }

    #[test]
    fn flexible_answer_has_a_tagged_header() {
        let frame = joined(&encode_response(
            7,
            ApiKey::Metadata,
            9,
            &MetadataResponse::default(),
        ));
        assert_eq!(frame[4..9], [0, 0, 0, 7, 0]);
        let (id, body) =
            decode_response::<MetadataRequest>(Bytes::from(frame).slice(4..), 9).unwrap();
        assert_eq!((id, body), (7, MetadataResponse::default()));
    }
}
