"""The copilot prepares work for agents: summaries, drafts, answers, articles. It reads tickets and changes none."""
