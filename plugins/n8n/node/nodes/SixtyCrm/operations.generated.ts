// Made by generate.py from the tools and events of the server: do not edit.
import type { Operation } from './operations';

export const OPERATIONS: Operation[] = [
	{
		"resource": "activity",
		"operation": "createActivity",
		"tool": "create_activity",
		"description": "Log an activity that has happened just now, or schedule one with scheduled_at.",
		"effect": "create",
		"main": "activity",
		"schema": {
			"properties": {
				"type": {
					"enum": [
						"call",
						"meeting",
						"proposal_sent",
						"email",
						"email_sent",
						"task"
					],
					"type": "string"
				},
				"description": {
					"maxLength": 10000,
					"minLength": 1,
					"type": "string"
				},
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"scheduled_at": {
					"description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"duration_minutes": {
					"maximum": 1440,
					"minimum": 1,
					"type": "integer"
				},
				"outcome": {
					"maxLength": 10000,
					"type": "string"
				},
				"notes": {
					"maxLength": 10000,
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				}
			},
			"required": [
				"type",
				"description"
			]
		}
	},
	{
		"resource": "activity",
		"operation": "bulkScheduleActivities",
		"tool": "bulk_schedule_activities",
		"description": "Log or schedule up to 100 activities. Each stands alone: the good ones are kept; results are in order.",
		"effect": "create",
		"main": "results",
		"schema": {
			"properties": {
				"activities": {
					"items": {
						"additionalProperties": false,
						"properties": {
							"type": {
								"enum": [
									"call",
									"meeting",
									"proposal_sent",
									"email",
									"email_sent",
									"task"
								],
								"type": "string"
							},
							"description": {
								"maxLength": 10000,
								"minLength": 1,
								"type": "string"
							},
							"deal_id": {
								"format": "uuid",
								"type": "string"
							},
							"contact_id": {
								"format": "uuid",
								"type": "string"
							},
							"scheduled_at": {
								"description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks",
								"type": "string"
							},
							"duration_minutes": {
								"maximum": 1440,
								"minimum": 1,
								"type": "integer"
							},
							"outcome": {
								"maxLength": 10000,
								"type": "string"
							},
							"notes": {
								"maxLength": 10000,
								"type": "string"
							},
							"owner_id": {
								"format": "uuid",
								"type": "string"
							}
						},
						"required": [
							"type",
							"description"
						],
						"type": "object"
					},
					"maxItems": 100,
					"minItems": 1,
					"type": "array"
				}
			},
			"required": [
				"activities"
			]
		}
	},
	{
		"resource": "activity",
		"operation": "searchActivities",
		"tool": "search_activities",
		"description": "Find activities by words, type, status, deal, contact, owner or days; the latest first. query takes words, or their beginnings, of description, outcome and notes, and puts the best first. date_range is about the day on which an activity was held, or else is scheduled.",
		"effect": "read",
		"main": "activities",
		"schema": {
			"properties": {
				"query": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"type": {
					"enum": [
						"call",
						"meeting",
						"proposal_sent",
						"email",
						"email_sent",
						"task"
					],
					"type": "string"
				},
				"status": {
					"enum": [
						"scheduled",
						"completed",
						"cancelled"
					],
					"type": "string"
				},
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"date_range": {
					"additionalProperties": false,
					"description": "Days, both included; at least one of them.",
					"properties": {
						"start": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						},
						"end": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						}
					},
					"type": "object"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "activity",
		"operation": "getUpcomingActivities",
		"tool": "get_upcoming_activities",
		"description": "List what is scheduled until the end of the day days_ahead days from now, the soonest first; overdue before.",
		"effect": "read",
		"main": "activities",
		"schema": {
			"properties": {
				"days_ahead": {
					"default": 7,
					"maximum": 365,
					"minimum": 0,
					"type": "integer"
				},
				"type_filter": {
					"enum": [
						"call",
						"meeting",
						"proposal_sent",
						"email",
						"email_sent",
						"task"
					],
					"type": "string"
				},
				"include_overdue": {
					"default": true,
					"type": "boolean"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "activity",
		"operation": "completeActivity",
		"tool": "complete_activity",
		"description": "Say that a scheduled activity was held, just now, or is cancelled. notes are added to those it has.",
		"effect": "update",
		"main": "activity",
		"schema": {
			"properties": {
				"activity_id": {
					"format": "uuid",
					"type": "string"
				},
				"outcome": {
					"maxLength": 10000,
					"type": "string"
				},
				"notes": {
					"maxLength": 10000,
					"type": "string"
				},
				"status": {
					"default": "completed",
					"enum": [
						"completed",
						"cancelled"
					],
					"type": "string"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"activity_id"
			]
		}
	},
	{
		"resource": "activity",
		"operation": "rescheduleActivity",
		"tool": "reschedule_activity",
		"description": "Give a scheduled activity another time.",
		"effect": "update",
		"main": "activity",
		"schema": {
			"properties": {
				"activity_id": {
					"format": "uuid",
					"type": "string"
				},
				"scheduled_at": {
					"description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"reason": {
					"maxLength": 10000,
					"type": "string"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"activity_id",
				"scheduled_at"
			]
		}
	},
	{
		"resource": "activity",
		"operation": "getActivityMetrics",
		"tool": "get_activity_metrics",
		"description": "Count completed activities and their minutes by type, owner or week (its Monday), or all of them by status. The window is the last 30 days unless given. Groups without any are left out; `definition` says what else is.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"start": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"end": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"group_by": {
					"default": "type",
					"enum": [
						"type",
						"owner",
						"week",
						"status"
					],
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "analytics",
		"operation": "getPipelineMetrics",
		"tool": "get_pipeline_metrics",
		"description": "Tell where the open pipeline stands by stage, its velocity, and which deals are stuck, with what to do next. Now, or as it was at the end of the day as_of. Stuck is what outlasts nine in ten of the deals that were won.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"as_of": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"team_id": {
					"format": "uuid",
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "analytics",
		"operation": "calculateConversionRates",
		"tool": "calculate_conversion_rates",
		"description": "Tell how many deals went on from each stage, and how many were won, with 95 % intervals. Of the deals created in the window (the last 365 days unless given), or of those closed in it.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"start": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"end": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"cohort": {
					"default": "created",
					"enum": [
						"created",
						"closed"
					],
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "analytics",
		"operation": "getTeamPerformance",
		"tool": "get_team_performance",
		"description": "Tell what each person has won, lost, opened and done, and what they have open now; and all of them together. The window is the last 90 days unless given.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"start": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"end": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"team_id": {
					"format": "uuid",
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "analytics",
		"operation": "generateReports",
		"tool": "generate_reports",
		"description": "Make a report of the pipeline, forecast (against targets), activity, performance or velocity, with its chart. The file is read at its link, json, csv, xlsx or html; the result has the figures. Each report has a usual window, ending today, unless given.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"report": {
					"enum": [
						"pipeline",
						"forecast",
						"activity",
						"performance",
						"velocity"
					],
					"type": "string"
				},
				"format": {
					"enum": [
						"json",
						"csv",
						"xlsx",
						"html"
					],
					"type": "string"
				},
				"start": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"end": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				}
			},
			"required": [
				"report",
				"format"
			]
		}
	},
	{
		"resource": "analytics",
		"operation": "getActivityHeatmap",
		"tool": "get_activity_heatmap",
		"description": "Count completed activities by weekday and hour, in the organisation's time zone unless told otherwise. The window is the last 90 days unless given.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"start": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"end": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"timezone": {
					"maxLength": 100,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "contact",
		"operation": "createContact",
		"tool": "create_contact",
		"description": "Create a contact. You own it unless owner_id says otherwise. The company is found by its name or by the domain of the email, and made when company_name is a new one.",
		"effect": "create",
		"main": "contact",
		"schema": {
			"properties": {
				"first_name": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"last_name": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"email": {
					"format": "email",
					"type": "string"
				},
				"phone": {
					"maxLength": 50,
					"minLength": 1,
					"type": "string"
				},
				"company_name": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"role": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"linkedin_url": {
					"maxLength": 490,
					"type": "string"
				},
				"address": {
					"additionalProperties": false,
					"description": "Where somebody gets post.",
					"properties": {
						"street": {
							"type": "string"
						},
						"city": {
							"type": "string"
						},
						"postal_code": {
							"type": "string"
						},
						"region": {
							"type": "string"
						},
						"country": {
							"type": "string"
						}
					},
					"type": "object"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				}
			},
			"required": [
				"first_name",
				"last_name",
				"email"
			]
		}
	},
	{
		"resource": "contact",
		"operation": "updateContact",
		"tool": "update_contact",
		"description": "Change fields of a contact; null clears one. Of an address, the parts that are given change. company_name leads to the company of that name, made when missing; company_id to a known one.",
		"effect": "update",
		"main": "contact",
		"schema": {
			"properties": {
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"updates": {
					"additionalProperties": false,
					"description": "What `update_contact` changes: what is given, null included.",
					"properties": {
						"first_name": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"last_name": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"email": {
							"format": "email",
							"type": "string"
						},
						"phone": {
							"maxLength": 50,
							"minLength": 1,
							"type": "string"
						},
						"company_name": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"role": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"linkedin_url": {
							"maxLength": 490,
							"type": "string"
						},
						"address": {
							"additionalProperties": false,
							"description": "Where somebody gets post.",
							"properties": {
								"street": {
									"type": "string"
								},
								"city": {
									"type": "string"
								},
								"postal_code": {
									"type": "string"
								},
								"region": {
									"type": "string"
								},
								"country": {
									"type": "string"
								}
							},
							"type": "object"
						},
						"owner_id": {
							"format": "uuid",
							"type": "string"
						},
						"company_id": {
							"format": "uuid",
							"type": "string"
						}
					},
					"type": "object"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"contact_id",
				"updates"
			]
		}
	},
	{
		"resource": "contact",
		"operation": "updateCompany",
		"tool": "update_company",
		"description": "Change fields of a company; null clears one. size counts employees, revenue is that of a year.",
		"effect": "update",
		"main": "company",
		"schema": {
			"properties": {
				"company_id": {
					"format": "uuid",
					"type": "string"
				},
				"updates": {
					"additionalProperties": false,
					"description": "What `update_company` changes: what is given, null included.",
					"properties": {
						"name": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"domain": {
							"maxLength": 253,
							"type": "string"
						},
						"industry": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"size": {
							"maximum": 100000000,
							"minimum": 1,
							"type": "integer"
						},
						"revenue": {
							"maximum": 10000000000000,
							"minimum": 0,
							"type": "number"
						},
						"owner_id": {
							"format": "uuid",
							"type": "string"
						}
					},
					"type": "object"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"company_id",
				"updates"
			]
		}
	},
	{
		"resource": "contact",
		"operation": "searchContacts",
		"tool": "search_contacts",
		"description": "Find contacts by words, company, email, deal or owner; the latest changed first. query takes words, or their beginnings, of name, email, role, phone or company, and puts the best first. company_name takes the name of a company or its beginning.",
		"effect": "read",
		"main": "contacts",
		"schema": {
			"properties": {
				"query": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"company_name": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"email": {
					"format": "email",
					"type": "string"
				},
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "contact",
		"operation": "enrichContact",
		"tool": "enrich_contact",
		"description": "Fill empty fields of a contact and its company from internal, hunter, linkedin and clearbit, or some of them. What people have entered is kept. `sources` says who knew something, and why others could not be asked.",
		"effect": "update",
		"main": "contact",
		"schema": {
			"properties": {
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"sources": {
					"items": {
						"maxLength": 255,
						"minLength": 1,
						"type": "string"
					},
					"maxItems": 20,
					"minItems": 1,
					"type": "array"
				}
			},
			"required": [
				"contact_id"
			]
		}
	},
	{
		"resource": "contact",
		"operation": "findDuplicateContacts",
		"tool": "find_duplicate_contacts",
		"description": "Find pairs of contacts that may be one person, and why; merge_contacts makes them one. threshold is the least probability, 0.5 to 1. Pairs of the same group belong together.",
		"effect": "read",
		"main": "duplicates",
		"schema": {
			"properties": {
				"threshold": {
					"default": 0.8,
					"maximum": 1,
					"minimum": 0.5,
					"type": "number"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "contact",
		"operation": "mergeContacts",
		"tool": "merge_contacts",
		"description": "Merge duplicates into the primary contact: all that points at them points at it, and their ids lead to it. Values of the primary stay, and empty ones are filled from the duplicates in order. field_choices names, by field, the contact whose value to keep. undo_change restores everything.",
		"effect": "destroy",
		"main": "contact",
		"schema": {
			"properties": {
				"primary_id": {
					"format": "uuid",
					"type": "string"
				},
				"duplicate_ids": {
					"items": {
						"format": "uuid",
						"type": "string"
					},
					"maxItems": 20,
					"minItems": 1,
					"type": "array"
				},
				"field_choices": {
					"additionalProperties": {
						"format": "uuid",
						"type": "string"
					},
					"propertyNames": {
						"enum": [
							"first_name",
							"last_name",
							"email",
							"phone",
							"company_id",
							"role",
							"linkedin_url",
							"address"
						]
					},
					"type": "object"
				}
			},
			"required": [
				"primary_id",
				"duplicate_ids"
			]
		}
	},
	{
		"resource": "contact",
		"operation": "getContactTimeline",
		"tool": "get_contact_timeline",
		"description": "List activities, tasks, deals and changes of a contact, newest first. The id of a change is what undo_change takes. since leaves out what was before it.",
		"effect": "read",
		"main": "entries",
		"schema": {
			"properties": {
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"since": {
					"description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"kinds": {
					"items": {
						"enum": [
							"activity",
							"task",
							"deal",
							"change"
						],
						"type": "string"
					},
					"maxItems": 4,
					"minItems": 1,
					"type": "array"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			},
			"required": [
				"contact_id"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "createDeal",
		"tool": "create_deal",
		"description": "Create a deal. You own it unless owner_id says otherwise. Without a value, a split of the revenue gives one.",
		"effect": "create",
		"main": "deal",
		"schema": {
			"properties": {
				"title": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"company_name": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"value": {
					"exclusiveMinimum": 0,
					"maximum": 10000000,
					"type": "number"
				},
				"stage": {
					"default": "sql",
					"enum": [
						"sql",
						"opportunity",
						"verbal",
						"signed"
					],
					"type": "string"
				},
				"expected_close_date": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"notes": {
					"maxLength": 10000,
					"type": "string"
				},
				"monthly_mrr": {
					"exclusiveMinimum": 0,
					"maximum": 10000000,
					"type": "number"
				},
				"one_off_revenue": {
					"exclusiveMinimum": 0,
					"maximum": 10000000,
					"type": "number"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"contract_end_date": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"ai_confidence_score": {
					"maximum": 100,
					"minimum": 0,
					"type": "integer"
				}
			},
			"required": [
				"title",
				"company_name"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "updateDeal",
		"tool": "update_deal",
		"description": "Change fields of a deal; null clears one. A stage is a move. Status won moves to signed; lost keeps the stage and takes a lost_reason; open reopens it.",
		"effect": "update",
		"main": "deal",
		"schema": {
			"properties": {
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"updates": {
					"additionalProperties": false,
					"description": "What `update_deal` changes: what is given, null included.",
					"properties": {
						"title": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"company_name": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"value": {
							"exclusiveMinimum": 0,
							"maximum": 10000000,
							"type": "number"
						},
						"stage": {
							"enum": [
								"sql",
								"opportunity",
								"verbal",
								"signed"
							],
							"type": "string"
						},
						"expected_close_date": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						},
						"notes": {
							"maxLength": 10000,
							"type": "string"
						},
						"monthly_mrr": {
							"exclusiveMinimum": 0,
							"maximum": 10000000,
							"type": "number"
						},
						"one_off_revenue": {
							"exclusiveMinimum": 0,
							"maximum": 10000000,
							"type": "number"
						},
						"owner_id": {
							"format": "uuid",
							"type": "string"
						},
						"contact_id": {
							"format": "uuid",
							"type": "string"
						},
						"contract_end_date": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						},
						"ai_confidence_score": {
							"maximum": 100,
							"minimum": 0,
							"type": "integer"
						},
						"status": {
							"enum": [
								"open",
								"won",
								"lost"
							],
							"type": "string"
						},
						"lost_reason": {
							"maxLength": 10000,
							"type": "string"
						}
					},
					"type": "object"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"deal_id",
				"updates"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "deleteDeal",
		"tool": "delete_deal",
		"description": "Delete a deal. undo_change, with the change_id of the answer, brings it back.",
		"effect": "destroy",
		"main": null,
		"schema": {
			"properties": {
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"reason": {
					"maxLength": 10000,
					"type": "string"
				}
			},
			"required": [
				"deal_id"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "moveDealStage",
		"tool": "move_deal_stage",
		"description": "Move a deal to any stage, forwards or backwards. Entering signed wins it; any other reopens a closed deal.",
		"effect": "update",
		"main": "deal",
		"schema": {
			"properties": {
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"stage": {
					"enum": [
						"sql",
						"opportunity",
						"verbal",
						"signed"
					],
					"type": "string"
				},
				"reason": {
					"maxLength": 10000,
					"type": "string"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"deal_id",
				"stage"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "splitDealRevenue",
		"tool": "split_deal_revenue",
		"description": "Split a deal's revenue into monthly and one-off; for admins. ltv = monthly_mrr * 3 + one_off_revenue, which is the value of a deal that has none.",
		"effect": "update",
		"main": "deal",
		"schema": {
			"properties": {
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"monthly_mrr": {
					"exclusiveMinimum": 0,
					"maximum": 10000000,
					"type": "number"
				},
				"one_off_revenue": {
					"exclusiveMinimum": 0,
					"maximum": 10000000,
					"type": "number"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"deal_id",
				"monthly_mrr",
				"one_off_revenue"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "searchDeals",
		"tool": "search_deals",
		"description": "Find deals by words, stage, status, value, owner, contact or dates. query takes words, or their beginnings, of title, company and notes, and puts the best of the newest 2,000 matches first unless sort is given; of more than 10,000 it sees the newest. Otherwise sort is -updated_at; - means descending. date_range filters date_field, both days included.",
		"effect": "read",
		"main": "deals",
		"schema": {
			"properties": {
				"query": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"stage": {
					"enum": [
						"sql",
						"opportunity",
						"verbal",
						"signed"
					],
					"type": "string"
				},
				"status": {
					"enum": [
						"open",
						"won",
						"lost"
					],
					"type": "string"
				},
				"min_value": {
					"type": "number"
				},
				"max_value": {
					"type": "number"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"date_range": {
					"additionalProperties": false,
					"description": "Days, both included; at least one of them.",
					"properties": {
						"start": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						},
						"end": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						}
					},
					"type": "object"
				},
				"date_field": {
					"default": "expected_close_date",
					"enum": [
						"expected_close_date",
						"created_at",
						"updated_at",
						"closed_at",
						"contract_end_date"
					],
					"type": "string"
				},
				"sort": {
					"pattern": "^-?(updated_at|created_at|closed_at|expected_close_date|value)$",
					"type": "string"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "deal",
		"operation": "forecastRevenue",
		"tool": "forecast_revenue",
		"description": "Forecast revenue from today to the end of the calendar month, quarter or year. Counts open and won deals expected to close in it, weighted by the probability of their stage unless include_probability is false. `definition` says what was left out, and why. historical has what the latest closed deals say; backtest, how well weights would have predicted past periods: unless asked, only where you can see up to 50,000 deals.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"period": {
					"enum": [
						"month",
						"quarter",
						"year"
					],
					"type": "string"
				},
				"include_probability": {
					"default": true,
					"type": "boolean"
				},
				"owner_id": {
					"format": "uuid",
					"type": "string"
				},
				"historical": {
					"default": true,
					"type": "boolean"
				},
				"backtest": {
					"type": "boolean"
				}
			},
			"required": [
				"period"
			]
		}
	},
	{
		"resource": "deal",
		"operation": "getDealHistory",
		"tool": "get_deal_history",
		"description": "List each change of a deal, who made it and in which call, and each stay in a stage with its seconds.",
		"effect": "read",
		"main": null,
		"schema": {
			"properties": {
				"deal_id": {
					"format": "uuid",
					"type": "string"
				}
			},
			"required": [
				"deal_id"
			]
		}
	},
	{
		"resource": "task",
		"operation": "createTask",
		"tool": "create_task",
		"description": "Create a task, yours unless assignee_id says otherwise. It needs a title or a description. Without due_date the priority sets one in working days: urgent 0, high 1, medium 3, low 7.",
		"effect": "create",
		"main": "task",
		"schema": {
			"properties": {
				"title": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"description": {
					"maxLength": 10000,
					"type": "string"
				},
				"due_date": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"priority": {
					"default": "medium",
					"enum": [
						"low",
						"medium",
						"high",
						"urgent"
					],
					"type": "string"
				},
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"related_activity_id": {
					"format": "uuid",
					"type": "string"
				},
				"assignee_id": {
					"format": "uuid",
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "task",
		"operation": "assignTask",
		"tool": "assign_task",
		"description": "Give a task to somebody, who then owns it.",
		"effect": "update",
		"main": "task",
		"schema": {
			"properties": {
				"task_id": {
					"format": "uuid",
					"type": "string"
				},
				"assignee_id": {
					"format": "uuid",
					"type": "string"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"task_id",
				"assignee_id"
			]
		}
	},
	{
		"resource": "task",
		"operation": "completeTask",
		"tool": "complete_task",
		"description": "Complete or cancel a task. follow_up makes the next one: same deal, contact and assignee.",
		"effect": "update",
		"main": "task",
		"schema": {
			"properties": {
				"task_id": {
					"format": "uuid",
					"type": "string"
				},
				"outcome": {
					"maxLength": 10000,
					"type": "string"
				},
				"status": {
					"default": "completed",
					"enum": [
						"completed",
						"cancelled"
					],
					"type": "string"
				},
				"follow_up": {
					"additionalProperties": false,
					"description": "The task that comes after one that has ended.",
					"properties": {
						"title": {
							"maxLength": 255,
							"minLength": 1,
							"type": "string"
						},
						"due_in_days": {
							"maximum": 365,
							"minimum": 0,
							"type": "integer"
						}
					},
					"required": [
						"title",
						"due_in_days"
					],
					"type": "object"
				},
				"expected_version": {
					"minimum": 1,
					"type": "integer"
				}
			},
			"required": [
				"task_id"
			]
		}
	},
	{
		"resource": "task",
		"operation": "getOverdueTasks",
		"tool": "get_overdue_tasks",
		"description": "List open tasks that were due before as_of (today): the most overdue first, then the most urgent.",
		"effect": "read",
		"main": "tasks",
		"schema": {
			"properties": {
				"assignee_id": {
					"format": "uuid",
					"type": "string"
				},
				"as_of": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "task",
		"operation": "searchTasks",
		"tool": "search_tasks",
		"description": "Find tasks by words of title and description, status, assignee, deal, contact or due date, the first due first. due_before does not include the day itself.",
		"effect": "read",
		"main": "tasks",
		"schema": {
			"properties": {
				"query": {
					"maxLength": 255,
					"minLength": 1,
					"type": "string"
				},
				"status": {
					"enum": [
						"open",
						"completed",
						"cancelled"
					],
					"type": "string"
				},
				"assignee_id": {
					"format": "uuid",
					"type": "string"
				},
				"due_before": {
					"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
					"type": "string"
				},
				"deal_id": {
					"format": "uuid",
					"type": "string"
				},
				"contact_id": {
					"format": "uuid",
					"type": "string"
				},
				"limit": {
					"default": 25,
					"maximum": 200,
					"minimum": 1,
					"type": "integer"
				},
				"cursor": {
					"maxLength": 2000,
					"type": "string"
				}
			}
		}
	},
	{
		"resource": "task",
		"operation": "bulkUpdateTasks",
		"tool": "bulk_update_tasks",
		"description": "Change many tasks alike, each by itself: one that fails leaves the others be. Status open reopens; a due_date of null clears it. Results are in the order of task_ids.",
		"effect": "update",
		"main": "results",
		"schema": {
			"properties": {
				"task_ids": {
					"items": {
						"format": "uuid",
						"type": "string"
					},
					"maxItems": 100,
					"minItems": 1,
					"type": "array"
				},
				"updates": {
					"additionalProperties": false,
					"description": "What `bulk_update_tasks` changes: what is given.",
					"properties": {
						"status": {
							"enum": [
								"open",
								"completed",
								"cancelled"
							],
							"type": "string"
						},
						"due_date": {
							"description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks",
							"type": "string"
						},
						"priority": {
							"enum": [
								"low",
								"medium",
								"high",
								"urgent"
							],
							"type": "string"
						},
						"assignee_id": {
							"format": "uuid",
							"type": "string"
						}
					},
					"type": "object"
				}
			},
			"required": [
				"task_ids",
				"updates"
			]
		}
	}
];
