//! Configurations from outside: DescribeConfigs, IncrementalAlterConfigs, ListConfigResources.
//!
//! What belongs to one broker is asked of that broker, all else of any.

use super::cluster::Cluster;
use super::error::ClientError;
use crate::wire::ErrorCode;
use crate::wire::Request;
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use crate::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use crate::wire::messages::list_config_resources::ListConfigResourcesRequest;

/// Resources asked for at a time: an answer tells some forty properties of each.
const RESOURCES_A_REQUEST: usize = 200;

/// What has configurations (`ConfigResource.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A topic, by name.
    Topic = 2,
    /// A broker by its node id, or with an empty name the default of all.
    Broker = 4,
    /// A group, by name.
    Group = 32,
}

/// One thing that has configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Which one.
    pub name: String,
}

impl ConfigResource {
    /// A topic.
    pub fn topic(name: &str) -> ConfigResource {
        ConfigResource {
            kind: ResourceKind::Topic,
            name: name.to_owned(),
        }
    }

    /// The broker that alone can answer for it.
    fn node(&self) -> Option<i32> {
        match self.kind {
            ResourceKind::Broker => self.name.parse().ok(),
            ResourceKind::Topic | ResourceKind::Group => None,
        }
    }

    fn words(&self) -> String {
        match self.kind {
            ResourceKind::Topic => format!("topic {}", self.name),
            ResourceKind::Broker if self.name.is_empty() => "the default of all brokers".to_owned(),
            ResourceKind::Broker => format!("broker {}", self.name),
            ResourceKind::Group => format!("group {}", self.name),
        }
    }

    fn refused(&self, code: ErrorCode, message: Option<&str>) -> ClientError {
        ClientError::Broker {
            what: self.words(),
            code,
            message: message.map(ToOwned::to_owned),
        }
    }
}

/// A change of one configuration (`AlterConfigOp`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// It gets a value.
    Set(String, String),
    /// It goes back to its default.
    Delete(String),
}

/// Every property of each resource, in the broker's order, with where its value comes from.
///
/// # Errors
/// The first resource that is refused.
pub fn describe_configs(
    cluster: &mut Cluster,
    resources: &[ConfigResource],
    synonyms: bool,
) -> Result<Vec<Vec<DescribeConfigsResourceResult>>, ClientError> {
    let mut found = Vec::with_capacity(resources.len());
    // A broker's own are asked one by one: each may be another node's.
    let one_by_one = resources.iter().any(|resource| resource.node().is_some());
    for some in resources.chunks(if one_by_one { 1 } else { RESOURCES_A_REQUEST }) {
        let described = |resource: &ConfigResource| DescribeConfigsResource {
            resource_type: resource.kind as i8,
            resource_name: resource.name.as_str().into(),
            configuration_keys: None,
        };
        let request = DescribeConfigsRequest {
            resources: some.iter().map(described).collect(),
            include_synonyms: synonyms,
            ..DescribeConfigsRequest::default()
        };
        let answer = ask(cluster, some[0].node(), &request)?;
        for resource in some {
            let result = answer.results.iter().find(|result| {
                result.resource_type == resource.kind as i8
                    && result.resource_name == resource.name.as_str()
            });
            match result {
                Some(result) if result.error_code == ErrorCode::NONE => {
                    found.push(result.configs.clone());
                }
                Some(result) => {
                    return Err(
                        resource.refused(result.error_code, result.error_message.as_deref())
                    );
                }
                None => return Err(resource.refused(ErrorCode::UNKNOWN_SERVER_ERROR, None)),
            }
        }
    }
    Ok(found)
}

/// Changes single configurations of one resource and leaves the others alone.
///
/// # Errors
/// What the broker refuses; nothing is changed then.
pub fn alter_configs(
    cluster: &mut Cluster,
    resource: &ConfigResource,
    changes: &[ConfigChange],
) -> Result<(), ClientError> {
    let change = |change: &ConfigChange| match change {
        ConfigChange::Set(name, value) => AlterableConfig {
            name: name.as_str().into(),
            config_operation: 0,
            value: Some(value.as_str().into()),
        },
        ConfigChange::Delete(name) => AlterableConfig {
            name: name.as_str().into(),
            config_operation: 1,
            value: None,
        },
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: resource.kind as i8,
            resource_name: resource.name.as_str().into(),
            configs: changes.iter().map(change).collect(),
        }],
        validate_only: false,
    };
    let answer = ask(cluster, resource.node(), &request)?;
    match answer.responses.first() {
        Some(result) if result.error_code == ErrorCode::NONE => Ok(()),
        Some(result) => Err(resource.refused(result.error_code, result.error_message.as_deref())),
        None => Err(resource.refused(ErrorCode::UNKNOWN_SERVER_ERROR, None)),
    }
}

/// The names of the resources of a kind that have configurations of their own.
///
/// # Errors
/// When the broker refuses, or is too old to know.
pub fn list_resources(
    cluster: &mut Cluster,
    kind: ResourceKind,
) -> Result<Vec<String>, ClientError> {
    let request = ListConfigResourcesRequest {
        resource_types: vec![kind as i8],
    };
    let answer = ask(cluster, None, &request)?;
    if answer.error_code != ErrorCode::NONE {
        return Err(ClientError::Broker {
            what: "the resources with configurations".to_owned(),
            code: answer.error_code,
            message: None,
        });
    }
    let of_kind = answer
        .config_resources
        .into_iter()
        .filter(|resource| resource.resource_type == kind as i8);
    Ok(of_kind
        .map(|resource| resource.resource_name.to_string())
        .collect())
}

fn ask<R: Request>(
    cluster: &mut Cluster,
    node: Option<i32>,
    request: &R,
) -> Result<R::Response, ClientError> {
    cluster.patiently(|cluster| match node {
        Some(node) => cluster.node(node)?.call(request),
        None => cluster.any()?.call(request),
    })
}
