"""The simulated api.openai.com: Chat Completions, Responses (HTTP and WebSocket), models.

Any bearer is a key, but one that contains `invalid` (401) or `quota` (429); an access token of Sign in with
ChatGPT may do what a plan may. Scenarios as everywhere; what this API words in its own way:

    stop pause_turn     ends as content_filter, which the neutral reasons do not have
    stop refusal        a refusal in the message, not a finish reason
    error <status> [x]  x is a code (insufficient_quota, context_length_exceeded, ...) or a type
    error200 [n]        Chat: an object with `error`; Responses: `response.failed`, with n = 0 a bare `error`
    tool web_search     Responses with the hosted tool on offer: a search and an answer with a citation
"""

from ccproxy.simulator.openai.routes import routes

__all__ = ["routes"]
