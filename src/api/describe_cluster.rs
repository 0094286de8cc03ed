//! DescribeCluster (60): the brokers and the cluster's name.
//!
//! Versions 0–2: 1 can ask for controllers instead of brokers, 2 for fenced brokers too. There are no controllers to
//! connect to here, so that question is refused.

use super::metadata::CLUSTER_OPERATIONS;
use super::nodes::Node;
use super::{Asked, Handled};
use crate::wire::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use crate::wire::{ApiKey, ErrorCode, Text};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(asked: &mut Asked<'_>) -> Result<Handled, Handled> {
    let request: DescribeClusterRequest = asked.decode()?;
    let mut response = DescribeClusterResponse::default();
    if let Some((code, words)) = refused(request.endpoint_type) {
        response.error_code = code;
        response.error_message = super::text(words);
        return Ok(asked.answer(ApiKey::DescribeCluster, &response));
    }
    let shard = &asked.context.shard;
    let nodes = asked.nodes();
    let broker = |node: Node<'_>| DescribeClusterBroker {
        broker_id: node.id,
        host: Text::from(node.endpoint.host.as_str()),
        port: i32::from(node.endpoint.port),
        rack: shard.config.rack.as_deref().map(Text::from),
        ..DescribeClusterBroker::default()
    };
    response.cluster_id = Text::from(shard.cluster_id.as_str());
    response.controller_id = nodes.controller();
    response.brokers = nodes.all().into_iter().map(broker).collect();
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    Ok(asked.answer(ApiKey::DescribeCluster, &response))
}

/// Why nodes of this kind are not told here, in Kafka's words.
fn refused(endpoint_type: i8) -> Option<(ErrorCode, String)> {
    match endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some((
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
                .to_owned(),
        )),
        unknown => Some((
            ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
            format!("Unsupported endpoint type {unknown}"),
        )),
    }
}
