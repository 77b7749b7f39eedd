"""Observability: who is told when something is wrong, and what shows why."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.edge.outputs import EdgeOutputs
from modules.network.outputs import NetworkOutputs
from modules.observability.outputs import ObservabilityOutputs
from modules.observability.topics import topics
from modules.stack import Stack
from modules.storage.outputs import StorageOutputs


class Observability:
    """Fills the stack. Each noun is a file of its own, named as it is here."""

    def __init__(self, stack: Stack) -> None:
        network, storage = NetworkOutputs.read(stack), StorageOutputs.read(stack)
        self.read = ComputeOutputs.read(stack), DataOutputs.read(stack), EdgeOutputs.read(stack), network
        self.topics = topics(stack, storage)
        self._outputs().declare(stack)

    def _outputs(self) -> ObservabilityOutputs:
        return ObservabilityOutputs(
            page_topic_arn=self.topics.page.arn,
            ticket_topic_arn=self.topics.ticket.arn,
            alarms_key_arn=self.topics.key.arn,
        )
