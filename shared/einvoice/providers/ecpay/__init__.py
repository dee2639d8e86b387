"""ECPay (綠界科技), B2C e-invoice JSON API, Revision 3.0.0."""
