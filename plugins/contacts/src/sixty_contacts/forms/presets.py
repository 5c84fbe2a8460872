"""How other CRMs name the columns of contacts and companies in their exports.

Companies of contacts are found by name: the files of contacts have names, and ids only of who asks for them.
"""

from __future__ import annotations

from types import MappingProxyType

from sixty.exchange import Preset

__all__ = ["COMPANY_PRESETS", "CONTACT_PRESETS"]

_AMERICAN = ("%m/%d/%Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y, %I:%M %p")

COMPANY_PRESETS = MappingProxyType(
    {
        "hubspot": Preset(
            columns={
                "name": ("Company name", "Name"),
                "domain": ("Company Domain Name", "Website URL"),
                "industry": ("Industry",),
                "size": ("Number of Employees",),
                "revenue": ("Annual Revenue",),
                "owner": ("Company owner",),
                "created_at": ("Create Date",),
            },
            key="Record ID",
        ),
        "salesforce": Preset(
            columns={
                "name": ("Account Name", "Name"),
                "domain": ("Website",),
                "industry": ("Industry",),
                "size": ("Employees", "NumberOfEmployees"),
                "revenue": ("Annual Revenue", "AnnualRevenue"),
                "owner": ("Account Owner",),
                "created_at": ("Created Date", "CreatedDate"),
            },
            key="Account ID",
            dates=_AMERICAN,
        ),
        "pipedrive": Preset(
            columns={
                "name": ("Organization - Name", "Name"),
                "domain": ("Organization - Website", "Website"),
                "industry": ("Organization - Industry", "Industry"),
                "size": ("Organization - Number of employees", "Number of employees"),
                "revenue": ("Organization - Annual revenue", "Annual revenue"),
                "owner": ("Organization - Owner", "Owner"),
                "created_at": ("Organization - Organization created", "Organization - Creation date"),
            },
            key="Organization - ID",
        ),
    }
)

CONTACT_PRESETS = MappingProxyType(
    {
        "hubspot": Preset(
            columns={
                "first_name": ("First Name",),
                "last_name": ("Last Name",),
                "email": ("Email",),
                "phone": ("Phone Number", "Mobile Phone Number"),
                "company_name": ("Associated Company", "Company Name"),
                "role": ("Job Title",),
                "linkedin_url": ("LinkedIn URL", "LinkedIn Bio"),
                "street": ("Street Address",),
                "city": ("City",),
                "postal_code": ("Postal Code",),
                "region": ("State/Region",),
                "country": ("Country/Region",),
                "owner": ("Contact owner",),
                "created_at": ("Create Date",),
            },
            key="Record ID",
        ),
        "salesforce": Preset(
            columns={
                "first_name": ("First Name", "FirstName"),
                "last_name": ("Last Name", "LastName"),
                "full_name": ("Contact Name", "Full Name"),
                "email": ("Email",),
                "phone": ("Phone", "Business Phone", "Mobile", "MobilePhone"),
                "company_name": ("Account Name", "Account"),
                "role": ("Title",),
                "street": ("Mailing Street", "Mailing Address Line 1", "MailingStreet"),
                "city": ("Mailing City", "MailingCity"),
                "postal_code": ("Mailing Zip/Postal Code", "MailingPostalCode"),
                "region": ("Mailing State/Province", "MailingState"),
                "country": ("Mailing Country", "MailingCountry"),
                "owner": ("Contact Owner",),
                "created_at": ("Created Date", "CreatedDate"),
            },
            key="Contact ID",
            dates=_AMERICAN,
        ),
        "pipedrive": Preset(
            columns={
                "first_name": ("Person - First name", "First name"),
                "last_name": ("Person - Last name", "Last name"),
                "full_name": ("Person - Name", "Name"),
                "email": ("Person - Email - Work", "Person - Email", "Email - Work", "Email"),
                "phone": ("Person - Phone - Work", "Person - Phone - Mobile", "Person - Phone", "Phone"),
                "company_name": ("Person - Organization", "Organization"),
                "role": ("Person - Job title", "Job title"),
                "street": ("Person - Street/road name of Postal address", "Person - Postal address"),
                "city": ("Person - City/town/village/locality of Postal address",),
                "postal_code": ("Person - ZIP/Postal code of Postal address",),
                "region": ("Person - State/county of Postal address",),
                "country": ("Person - Country of Postal address",),
                "owner": ("Person - Owner", "Owner"),
                "created_at": ("Person - Person created", "Person - Creation date"),
            },
            key="Person - ID",
        ),
    }
)
