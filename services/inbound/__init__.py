"""What comes in: mail and messages of other channels become tickets, replies or notes. Rules only; channels/ reads mail."""
