"""Starts what is behind `/sdk` with the proxy if processes are to wait for requests; the drain ends it."""

import asyncio

from ccproxy.agent.on_demand import OnDemand


class AgentHost:
    name = "ccproxy_agent_host"

    def __init__(self, agent: OnDemand, *, at_once: bool) -> None:
        self.agent = agent
        self.at_once = at_once
        self.starting: asyncio.Task[object] | None = None

    def running(self) -> None:
        if self.at_once:
            self.starting = asyncio.create_task(self.agent.agent())
