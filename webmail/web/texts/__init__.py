"""Words that several areas share: days, codes, tasks, servers that are followed."""
