"""The tools of Foyer for AI clients (Model Context Protocol): POST /mcp. Loaded only where MCP is on."""
