from ccproxy.addons.agent_host import AgentHost


class Agent:
    asked = 0

    async def agent(self) -> None:
        self.asked += 1


async def test_it_starts_with_the_proxy_only_if_processes_are_to_wait() -> None:
    for at_once, asked in ((False, 0), (True, 1)):
        host = AgentHost(agent := Agent(), at_once=at_once)  # type: ignore[arg-type]
        host.running()
        if host.starting:
            await host.starting
        assert agent.asked == asked
