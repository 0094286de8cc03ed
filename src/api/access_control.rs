//! DescribeAcls (29), CreateAcls (30), DeleteAcls (31): there is no authorizer, and that is what is said.
//!
//! Versions 0–3 of each: 1 brings kinds of patterns, 2 is flexible, 3 users as resources. A broker without an authorizer keeps no
//! lists, whatever the request holds: each gets SECURITY_DISABLED in Kafka's words, once for each thing asked.

use super::{Asked, Handled};
use crate::wire::messages::create_acls::{
    AclCreationResult, CreateAclsRequest, CreateAclsResponse,
};
use crate::wire::messages::delete_acls::{
    DeleteAclsFilterResult, DeleteAclsRequest, DeleteAclsResponse,
};
use crate::wire::messages::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
use crate::wire::{ApiKey, ErrorCode};

pub(super) fn describe(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let _filter: DescribeAclsRequest = asked.decode()?;
    let response = DescribeAclsResponse {
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: super::text("No Authorizer is configured on the broker"),
        ..DescribeAclsResponse::default()
    };
    Ok(asked.answer(ApiKey::DescribeAcls, &response))
}

pub(super) fn create(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: CreateAclsRequest = asked.decode()?;
    let refused = AclCreationResult {
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: super::text("No Authorizer is configured."),
    };
    let response = CreateAclsResponse {
        results: vec![refused; request.creations.len()],
        ..CreateAclsResponse::default()
    };
    Ok(asked.answer(ApiKey::CreateAcls, &response))
}

pub(super) fn delete(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DeleteAclsRequest = asked.decode()?;
    let refused = DeleteAclsFilterResult {
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: super::text("No Authorizer is configured."),
        ..DeleteAclsFilterResult::default()
    };
    let response = DeleteAclsResponse {
        filter_results: vec![refused; request.filters.len()],
        ..DeleteAclsResponse::default()
    };
    Ok(asked.answer(ApiKey::DeleteAcls, &response))
}
