"""Lists: filters, sorting, keyset paging, CSV and XLSX from one select, state in the address."""
