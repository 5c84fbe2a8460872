"""Webhooks (Standard Webhooks 1.0): what happens here reaches the addresses that somebody has subscribed with."""
