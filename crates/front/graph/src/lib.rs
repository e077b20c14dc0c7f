//! The federated graph: one subgraph a service, composed and routed in this process.
